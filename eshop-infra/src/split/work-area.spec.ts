import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloneRepository, sourceOf } from './clone.ts';
import { givenSource } from './command.ts';
import { git } from './git.ts';
import { syncRepository } from './sync.ts';
import { Scratch } from './testing/scratch.ts';
import { chosenRepositories } from './work-area.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());
let count = 0;

/** A repository with one commit, and a clone of it in a work area. */
async function pair(): Promise<{ origin: string; clone: string }> {
  const team = `team-${count++}`;
  const origin = await scratch.repository(`${team}/eshop-order`);
  await scratch.commit(origin, 'begins', { 'a.txt': 'a' });
  const area = scratch.path(`area-${team}`);
  mkdirSync(area);
  expect(await cloneRepository(givenSource(scratch.path(team)), area, 'eshop-order')).toBe('cloned');
  const clone = join(area, 'eshop-order');
  await scratch.identity(clone);
  return { origin, clone };
}

describe('where the repositories are', () => {
  it.each([
    ['https://git.example/team/eshop-infra.git', { base: 'https://git.example/team/', ending: '.git' }],
    ['git@git.example:eshop-infra', { base: 'git@git.example:', ending: '' }],
    ['/srv/git/eshop-infra/', { base: '/srv/git/', ending: '' }],
  ])('follows from %s', (address, source) => {
    expect(sourceOf(address)).toEqual(source);
  });

  it('is asked for when it does not follow', () => {
    expect(() => sourceOf('https://git.example/team/other')).toThrow('--from');
  });

  it('may be said with or without a name', () => {
    expect(givenSource('https://git.example/team')).toEqual({ base: 'https://git.example/team/', ending: '' });
    expect(givenSource('https://git.example/team/eshop-infra.git')).toMatchObject({ ending: '.git' });
  });

  it('knows the repositories by short and long names', () => {
    expect(chosenRepositories(['order', 'eshop-proto'])).toEqual(['eshop-order', 'eshop-proto']);
    expect(chosenRepositories([])).toHaveLength(10);
    expect(() => chosenRepositories(['orders'])).toThrow('eshop-order');
  });
});

describe('a repository of the work area', () => {
  it('is cloned once, and not over something else', async () => {
    const { origin, clone } = await pair();
    const source = givenSource(join(origin, '..'));
    expect(await cloneRepository(source, join(clone, '..'), 'eshop-order')).toBe('was there');
    mkdirSync(join(clone, '../eshop-user'));
    await expect(cloneRepository(source, join(clone, '..'), 'eshop-user')).rejects.toThrow('no git repository');
  });

  it('is brought forward', async () => {
    const { origin, clone } = await pair();
    const head = await scratch.commit(origin, 'more', { 'b.txt': 'b' });
    expect(await syncRepository(clone)).toEqual({ taken: 1, ahead: 0, behind: 0, branch: 'main' });
    expect(await git(clone, ['rev-parse', 'HEAD'])).toBe(head);
    expect(await syncRepository(clone)).toMatchObject({ taken: 0, behind: 0 });
  });

  it('keeps changes that are not committed', async () => {
    const { origin, clone } = await pair();
    await scratch.commit(origin, 'more', { 'a.txt': 'b' });
    writeFileSync(join(clone, 'a.txt'), 'mine');
    expect(await syncRepository(clone)).toMatchObject({
      taken: 0,
      behind: 1,
      left: 'has changes that are not committed',
    });
    expect(await git(clone, ['diff', '--name-only'])).toBe('a.txt');
  });

  it('keeps commits of its own: said, never merged', async () => {
    const { origin, clone } = await pair();
    const own = await scratch.commit(clone, 'own', { 'c.txt': 'c' });
    expect(await syncRepository(clone)).toMatchObject({ ahead: 1, behind: 0 });
    await scratch.commit(origin, 'more', { 'b.txt': 'b' });
    expect(await syncRepository(clone)).toMatchObject({ ahead: 1, behind: 1, left: 'has commits of its own, too' });
    expect(await git(clone, ['rev-parse', 'HEAD'])).toBe(own);
  });

  it('may be on a branch that nobody else has', async () => {
    const { clone } = await pair();
    await git(clone, ['checkout', '--quiet', '-b', 'idea']);
    expect(await syncRepository(clone)).toMatchObject({ branch: 'idea', left: 'its branch has no counterpart' });
  });
});
