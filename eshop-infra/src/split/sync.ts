import { git } from './git.ts';

/** How a repository of the work area stands to where it came from, after it was brought forward where that was safe. */
export interface SyncResult {
  /** Commits that were taken over. */
  taken: number;
  /** Commits that are not pushed. */
  ahead: number;
  /** Commits that could not be taken over. */
  behind: number;
  branch: string;
  /** Why nothing was taken over although there is something; undefined when all is well. */
  left?: 'has changes that are not committed' | 'has commits of its own, too' | 'its branch has no counterpart';
}

/**
 * Fetches, and moves the branch forward when nothing can be lost: no changes in the files, no commits of its own. Never merges,
 * rebases or forces.
 */
export async function syncRepository(directory: string): Promise<SyncResult> {
  await git(directory, ['fetch', '--quiet', '--prune', '--tags']);
  const branch = await git(directory, ['rev-parse', '--abbrev-ref', 'HEAD']);
  const upstream = await git(directory, ['rev-parse', '--abbrev-ref', '--symbolic-full-name', '@{upstream}']).catch(
    () => '',
  );
  if (upstream === '') return { taken: 0, ahead: 0, behind: 0, branch, left: 'its branch has no counterpart' };
  const counts = await git(directory, ['rev-list', '--left-right', '--count', `HEAD...${upstream}`]);
  const [ahead = 0, behind = 0] = counts.split('\t').map(Number);
  if (behind === 0) return { taken: 0, ahead, behind, branch };
  if (ahead > 0) return { taken: 0, ahead, behind, branch, left: 'has commits of its own, too' };
  if ((await git(directory, ['status', '--porcelain', '--untracked-files=no'])) !== '') {
    return { taken: 0, ahead, behind, branch, left: 'has changes that are not committed' };
  }
  await git(directory, ['merge', '--quiet', '--ff-only', upstream]);
  return { taken: behind, ahead, behind: 0, branch };
}
