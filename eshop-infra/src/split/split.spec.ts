import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { git } from './git.ts';
import { splitDirectory } from './split.ts';
import { Scratch } from './testing/scratch.ts';

const scratch = new Scratch();
let source: string;
let count = 0;
const fresh = () => scratch.path(`target-${count++}`);
const log = (directory: string, format: string) => git(directory, ['log', '--reverse', `--format=${format}`]);

beforeAll(async () => {
  source = await scratch.repository('source');
  await scratch.commit(source, 'order: begins', { 'eshop-order/a.txt': 'a', 'README.md': 'all' });
  await scratch.commit(source, 'user: begins', { 'eshop-user/u.txt': 'u' });
  await scratch.commit(source, 'order: more\n\nwith a second paragraph, and é', { 'eshop-order/src/b.txt': 'b' });
  await git(source, ['checkout', '--quiet', '-b', 'side']);
  await scratch.commit(source, 'order: on the side', { 'eshop-order/side.txt': 's' });
  await git(source, ['checkout', '--quiet', 'main']);
  await scratch.commit(source, 'order: on main', { 'eshop-order/a.txt': 'a2' });
  await git(source, ['merge', '--quiet', '--no-ff', '--message', 'order: both', 'side']);
});
afterAll(() => scratch.remove());

describe('a directory that becomes a repository', () => {
  it('has its files at the top, as they are, and nothing else', async () => {
    const target = fresh();
    await splitDirectory(source, 'eshop-order', target);
    expect((await git(target, ['ls-files'])).split('\n')).toEqual(['a.txt', 'side.txt', 'src/b.txt']);
    expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe('a2');
    expect(await git(target, ['status', '--porcelain'])).toBe('');
    expect(await git(target, ['rev-parse', '--abbrev-ref', 'HEAD'])).toBe('main');
  });

  it('has the commits that changed it, with authors, times, messages and merges', async () => {
    const target = fresh();
    expect(await splitDirectory(source, 'eshop-order', target)).toMatchObject({ commits: 5, added: 5 });
    expect((await log(target, '%s')).split('\n').sort()).toEqual(
      ['order: begins', 'order: both', 'order: more', 'order: on main', 'order: on the side'].sort(),
    );
    const own = await git(source, ['log', '--format=%an %ae %at %cn %ct %B', '--', 'eshop-order']);
    expect((await git(target, ['log', '--format=%an %ae %at %cn %ct %B', '--topo-order'])).split('\n').sort()).toEqual(
      expect.arrayContaining(own.split('\n').filter((line) => line.startsWith('Ann'))),
    );
    expect((await git(target, ['log', '-1', '--format=%P'])).split(' ')).toHaveLength(2);
  });

  it('stands without its source', async () => {
    const target = fresh();
    await splitDirectory(source, 'eshop-order', target);
    expect(existsSync(join(target, '.git/objects/info/alternates'))).toBe(false);
    renameSync(source, `${source}-away`);
    try {
      await expect(git(target, ['fsck', '--full', '--strict'])).resolves.not.toMatch(/missing|broken/);
    } finally {
      renameSync(`${source}-away`, source);
    }
  });

  it('comes out the same each time, so that a later run adds what is new', async () => {
    const [one, two] = [fresh(), fresh()];
    await splitDirectory(source, 'eshop-user', one);
    await splitDirectory(source, 'eshop-user', two);
    const head = await git(one, ['rev-parse', 'HEAD']);
    expect(await git(two, ['rev-parse', 'HEAD'])).toBe(head);
    await scratch.commit(source, 'user: more', { [`eshop-user/${count}.txt`]: 'more' });
    expect(await splitDirectory(source, 'eshop-user', one)).toMatchObject({ added: 1 });
    expect(await git(one, ['rev-parse', 'HEAD~1'])).toBe(head);
    expect(await splitDirectory(source, 'eshop-user', one)).toMatchObject({ added: 0 });
  });

  it('is left alone when work of its own would be lost', async () => {
    const target = fresh();
    await splitDirectory(source, 'eshop-order', target);
    writeFileSync(join(target, 'a.txt'), 'not committed');
    await expect(splitDirectory(source, 'eshop-order', target)).rejects.toThrow('not committed');
    await scratch.identity(target);
    const own = await scratch.commit(target, 'own work', { 'a.txt': 'mine' });
    await expect(splitDirectory(source, 'eshop-order', target)).rejects.toThrow('1 commits of its own');
    expect(await git(target, ['rev-parse', 'HEAD'])).toBe(own);
    await expect(git(target, ['fsck', '--full'])).resolves.not.toMatch(/missing|broken/);
  });

  it('is not made over something else, nor of nothing', async () => {
    const target = await scratch.repository('plain');
    await expect(splitDirectory(source, 'eshop-nobody', fresh())).rejects.toThrow('no commits');
    writeFileSync(scratch.path('plain-file'), '');
    await scratch.commit(target, 'own', { 'x.txt': 'x' });
    await expect(splitDirectory(source, 'eshop-order', target)).rejects.toThrow('commits of its own');
  });
});
