import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const compiler = fileURLToPath(new URL('../node_modules/ts7/bin/tsc', import.meta.url));
const project = fileURLToPath(new URL('./types/tsconfig.json', import.meta.url));

/** The fixture marks every line that must not compile with `@ts-expect-error`; one that does compile is an error there. */
test('a payload of another type, or a compensation with another message, does not compile', () => {
  expect(execFileSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' })).toBe('');
});
