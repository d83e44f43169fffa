import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Compiles one file against the sources; returns what the compiler says. */
function compile(file: string): string {
  const { stdout } = spawnSync(
    process.execPath,
    [
      'node_modules/ts7/bin/tsc',
      ...['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2024', '--module', 'nodenext'],
      ...['--experimentalDecorators', '--types', 'node', `test/fixtures/compile/${file}`],
    ],
    { cwd: root, encoding: 'utf8' },
  );
  return stdout;
}

describe('a controller that does not follow the contract does not compile', () => {
  it('but one that does', () => {
    expect(compile('right.ts')).toBe('');
  });

  it.each([
    ['a method is missing', 'missing-method.ts', /Property 'stockDeductRevert' is missing/],
    ['a request has another type', 'wrong-request.ts', /Types of property 'productID' are incompatible/],
    ['a request asks for more than there is', 'wider-request.ts', /Property 'extra' is missing/],
    ['a reply has another type', 'wrong-reply.ts', /'string' is not assignable to type 'number'/],
    ['a client is called with a wrong payload', 'wrong-call.ts', /Property 'productCount' is missing/],
  ])('%s', (_what, file, error) => {
    expect(compile(file)).toMatch(error);
  });
});
