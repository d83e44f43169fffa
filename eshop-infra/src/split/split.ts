import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { git, gitBytes } from './git.ts';
import { isRepository } from './work-area.ts';

/** What became of one directory. */
export interface SplitResult {
  name: string;
  /** All commits of the new repository. */
  commits: number;
  /** How many of them were not there before. */
  added: number;
}

export interface SplitOptions {
  /** What to split; default HEAD. */
  revision?: string;
  /** The branch in the new repositories. */
  branch?: string;
}

interface Commit {
  id: string;
  parents: string[];
  /** The directory's tree; undefined where the commit removed the directory. */
  tree: string | undefined;
  /** `author …` and `committer …`, then an empty line and the message. */
  author: Buffer;
  committer: Buffer;
  message: Buffer;
}

/** Commits that changed the directory, oldest first; parents are the nearest such commits. */
async function commitsOf(source: string, revision: string, directory: string): Promise<Commit[]> {
  const listed = await git(source, [
    'rev-list',
    '--parents',
    '--topo-order',
    '--reverse',
    revision,
    '--',
    `:(top)${directory}`,
  ]);
  const lines = listed === '' ? [] : listed.split('\n').map((line) => line.split(' '));
  const ids = lines.map(([id = '']) => id);
  const trees = await git(source, ['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
    input: ids.map((id) => `${id}:${directory}\n`).join(''),
  });
  const raw = await gitBytes(source, ['cat-file', '--batch'], { input: ids.map((id) => `${id}\n`).join('') });
  const treeLines = trees.split('\n');
  let at = 0;
  return lines.map(([id = '', ...parents], index) => {
    const headEnd = raw.indexOf(10, at);
    const size = Number(raw.toString('latin1', at, headEnd).split(' ')[2]);
    const content = raw.subarray(headEnd + 1, headEnd + 1 + size);
    at = headEnd + 1 + size + 1;
    const [tree, type] = treeLines[index]?.split(' ') ?? [];
    return { id, parents, tree: type === 'tree' ? tree : undefined, ...partsOf(content) };
  });
}

function partsOf(content: Buffer): Pick<Commit, 'author' | 'committer' | 'message'> {
  const split = content.indexOf('\n\n');
  const head = split === -1 ? content : content.subarray(0, split);
  const line = (name: string) => {
    const from = head.indexOf(`\n${name} `) + 1;
    const to = head.indexOf(10, from);
    return head.subarray(from, to === -1 ? head.length : to);
  };
  return {
    author: line('author'),
    committer: line('committer'),
    message: split === -1 ? Buffer.alloc(0) : content.subarray(split + 2),
  };
}

/** The commits as git fast-import wants them. Trees are taken as they are: nothing is unpacked. */
function* importStream(commits: readonly Commit[], branch: string): Generator<Buffer> {
  const marks = new Map<string, number>();
  for (const [index, commit] of commits.entries()) {
    const mark = index + 1;
    marks.set(commit.id, mark);
    const [first, ...others] = commit.parents.flatMap((parent) => marks.get(parent) ?? []);
    // a commit that begins a history would otherwise continue what was imported before it
    if (first === undefined) yield Buffer.from(`reset refs/import/${branch}\n`);
    yield Buffer.from(`commit refs/import/${branch}\nmark :${mark}\n`);
    yield Buffer.concat([commit.author, Buffer.from('\n'), commit.committer, Buffer.from('\n')]);
    yield Buffer.concat([Buffer.from(`data ${commit.message.length}\n`), commit.message, Buffer.from('\n')]);
    if (first !== undefined) yield Buffer.from(`from :${first}\n`);
    for (const other of others) yield Buffer.from(`merge :${other}\n`);
    yield Buffer.from(commit.tree === undefined ? 'deleteall\n' : `M 040000 ${commit.tree} \n`);
  }
  yield Buffer.from('done\n');
}

/**
 * Makes a repository of one directory of another, with the commits that changed it: same authors, times and messages, paths
 * below the directory. The same history gives the same commits again, so a second run adds what is new and leaves the rest.
 * @throws Error when the target has commits of its own, files that are not committed, or is something else
 */
export async function splitDirectory(
  source: string,
  name: string,
  target: string,
  { revision = 'HEAD', branch = 'main' }: SplitOptions = {},
): Promise<SplitResult> {
  const commits = await commitsOf(source, revision, name);
  if (commits.length === 0) throw new Error(`${name} has no commits in ${revision}`);
  const known = isRepository(target);
  if (!known && existsSync(target) && readdirSync(target).length > 0) throw new Error(`${target} is no git repository`);
  if (known && (await git(target, ['status', '--porcelain'])) !== '') {
    throw new Error(`${target} has changes that are not committed`);
  }
  mkdirSync(target, { recursive: true });
  if (!known) await git(target, ['init', '--quiet', `--initial-branch=${branch}`]);
  const before = known ? await git(target, ['rev-parse', '--verify', '--quiet', branch]).catch(() => '') : '';
  const objects = resolve(source, await git(source, ['rev-parse', '--git-common-dir']), 'objects');
  const alternates = join(target, '.git/objects/info/alternates');
  mkdirSync(join(alternates, '..'), { recursive: true });
  writeFileSync(alternates, `${objects}\n`);
  try {
    await git(target, ['fast-import', '--quiet', '--done', '--force'], { input: importStream(commits, branch) });
    const made = await git(target, ['rev-parse', `refs/import/${branch}`]);
    const ownCommits = before === '' ? '0' : await git(target, ['rev-list', '--count', `${made}..${before}`]);
    if (ownCommits !== '0') throw new Error(`${target} has ${ownCommits} commits of its own on ${branch}`);
    const added = Number(await git(target, ['rev-list', '--count', before === '' ? made : `${before}..${made}`]));
    await git(target, before === '' ? ['reset', '--quiet', '--hard', made] : ['merge', '--quiet', '--ff-only', made]);
    return { name, commits: commits.length, added };
  } finally {
    await git(target, ['update-ref', '-d', `refs/import/${branch}`]);
    // takes over the objects that are used, so that the repository stands without its source
    await git(target, ['repack', '-a', '-d', '--quiet']);
    rmSync(alternates, { force: true });
  }
}
