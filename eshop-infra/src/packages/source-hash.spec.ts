import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { filesOf, treeHash } from './source-hash.ts';
import { readStamp, writeStamp } from './stamp.ts';

const root = mkdtempSync(join(tmpdir(), 'eshop-tree-'));
afterAll(() => rmSync(root, { recursive: true }));

function put(path: string, text = path): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

beforeAll(() => {
  put('.gitignore', 'node_modules/\ndist/\n/src/generated/\n*.log\n# no comment\n');
  for (const path of ['src/a.ts', 'src/b/c.ts', 'src/generated/d.ts', 'dist/a.js', 'node_modules/x/y.js', 'z.log'])
    put(path);
});

describe('the hash of a repository', () => {
  it('takes the sources, not what is made of them', () => {
    expect(filesOf(root)).toEqual(['.gitignore', 'src/a.ts', 'src/b/c.ts']);
  });

  it('can take everything', () => {
    expect(filesOf(join(root, 'dist'), { all: true })).toEqual(['a.js']);
  });

  it('changes with a byte, a name and a new file, and only then', () => {
    const first = treeHash(root);
    put('dist/b.js');
    put('z.log', 'more');
    expect(treeHash(root)).toBe(first);
    put('src/a.ts', 'changed');
    const second = treeHash(root);
    expect(second).not.toBe(first);
    put('src/new.ts');
    expect(treeHash(root)).not.toBe(second);
    rmSync(join(root, 'src/new.ts'));
    put('src/a.ts');
    expect(treeHash(root)).toBe(first);
  });
});

describe('a stamp', () => {
  it('is read as it was written, and is empty when there is none', () => {
    expect(readStamp(join(root, 'src'))).toEqual({});
    writeStamp(root, { installed: 'a', built: 'b' });
    expect(readStamp(root)).toEqual({ installed: 'a', built: 'b' });
  });
});
