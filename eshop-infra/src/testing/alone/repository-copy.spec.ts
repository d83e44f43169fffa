import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { outsideReferences } from './outside-references.ts';
import { copyRepository } from './repository-copy.ts';

const root = mkdtempSync(join(tmpdir(), 'eshop-copy-'));
afterAll(() => rmSync(root, { recursive: true }));

function put(path: string, text = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('the copy of a repository', () => {
  it('has its files and their modes, nothing that was made of them, and nothing beside it', () => {
    put('.gitignore', 'node_modules/\ndist/\n');
    for (const path of ['src/a.ts', 'dist/a.js', 'node_modules/x/y.js', 'bin/tool']) put(path);
    chmodSync(join(root, 'bin/tool'), 0o755);
    const copy = copyRepository(root);
    expect(copy.files).toEqual(['.gitignore', 'bin/tool', 'src/a.ts']);
    expect(readdirSync(dirname(copy.directory))).toEqual([basename(root)]);
    expect(readdirSync(copy.directory).sort()).toEqual(['.gitignore', 'bin', 'src']);
    expect(statSync(join(copy.directory, 'bin/tool')).mode & 0o777).toBe(0o755);
    copy.remove();
    expect(existsSync(dirname(copy.directory))).toBe(false);
  });
});

describe('references out of a repository', () => {
  it('are found with their line, whatever kind of file they are in', () => {
    put('package.json', '{\n  "dependencies": { "@eshop/proto": "file:../eshop-proto" }\n}\n');
    put('src/deep/b.ts', "import '../../../eshop-stock/src/main.js';\nimport '../../package.json';\n");
    put('README.md', 'See [stock](../eshop-stock) and [a](src/a.ts) and http://host/x/../y.\n');
    expect(outsideReferences(root, ['README.md', 'package.json', 'src/deep/b.ts'])).toEqual([
      'README.md:1: ../eshop-stock',
      'package.json:2: ../eshop-proto',
      'src/deep/b.ts:1: ../../../eshop-stock',
    ]);
  });
});
