import { compareReports, neededBump, raised } from './needed-bump.ts';

const report = (...lines: string[]) =>
  ['## API Report', '', '```ts', '', ...lines, '', '// (No @packageDocumentation)', '```'].join('\n');
const before = report(
  '// @public',
  'export interface Options {',
  '    name: string;',
  '    retries?: number;',
  '}',
  '',
  '// @public',
  'export function make(options: Options): Thing;',
);
const withLine = (after: string, line: string) => before.replace(after, `${after}\n${line}`);

describe('what a change of the API does to its users', () => {
  it('is nothing when only comments, empty lines or imports differ', () => {
    const now = before.replace('// @public', "// @beta\nimport { X } from 'y';\n");
    expect(compareReports(before, now)).toEqual({ change: 'patch', lines: [] });
  });

  it.each([
    ['a new export', withLine('Thing;', 'export function more(): void;')],
    ['a new optional member', withLine('retries?: number;', '    pause?: number;')],
  ])('is an addition: %s', (_, now) => {
    expect(compareReports(before, now).change).toBe('minor');
  });

  it.each([
    ['an export that is gone', before.replace('export function make(options: Options): Thing;', '')],
    ['a member of another type', before.replace('retries?: number', 'retries?: string')],
    ['a member that is gone', before.replace('    name: string;', '')],
    ['a member that became necessary', before.replace('retries?:', 'retries:')],
    ['a new member that is necessary', withLine('retries?: number;', '    pause: number;')],
    ['a new method that is necessary', withLine('retries?: number;', '    pause(ms: number): void;')],
  ])('is a break: %s', (_, now) => {
    const { change, lines } = compareReports(before, now);
    expect(change).toBe('major');
    expect(lines.length).toBeGreaterThan(0);
  });
});

describe('the number that a change raises at least', () => {
  it.each([
    ['0.2.0', 'major', 'minor'],
    ['0.2.0', 'minor', 'minor'],
    ['0.2.0', 'patch', 'patch'],
    ['1.4.0', 'major', 'major'],
    ['1.4.0', 'minor', 'minor'],
  ] as const)('from %s for a %s change: %s', (version, change, bump) => {
    expect(neededBump(version, change)).toBe(bump);
  });

  it('is raised in the version', () => {
    expect([raised('0.2.3', 'minor'), raised('1.2.3', 'major'), raised('1.2.3', 'patch')]).toEqual([
      '0.3.0',
      '2.0.0',
      '1.2.4',
    ]);
    expect(() => raised('two', 'patch')).toThrow('"two" is not a version');
  });
});
