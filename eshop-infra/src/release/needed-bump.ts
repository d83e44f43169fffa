import { inc, major } from 'semver';

/** What a change does to those who use a package; the weakest first. */
export const changes = ['patch', 'minor', 'major'] as const;
export type Change = (typeof changes)[number];

/** The stronger of two. */
export const stronger = (a: Change, b: Change): Change => (changes.indexOf(a) >= changes.indexOf(b) ? a : b);

/** How one report of an API differs from another. */
export interface ApiChange {
  change: Change;
  /** The lines behind it, `-` before one that is gone and `+` before one that is new. */
  lines: string[];
}

/**
 * A member that whoever makes such an object must give, or whoever implements such a class must have: users that compiled before
 * may not compile now.
 */
const demands = (line: string) => /^\s+(readonly )?['"\w[\]-]+(<.*>)?(\(.*\))?: .*;$/.test(line);

function meaningful(report: string): string[] {
  return report
    .split('\n')
    .map((line) => line.trimEnd())
    .filter(
      (line) =>
        line !== '' && !/^\s*(\/\/|[{}]|```|import |## )/.test(line) && !line.includes('(No @packageDocumentation'),
    );
}

/** Lines of `a` that `b` lacks, as often as they are missing. */
function missing(a: readonly string[], b: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of b) counts.set(line, (counts.get(line) ?? 0) + 1);
  return a.filter((line) => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
}

/**
 * Compares two reports line by line, on the safe side: what is gone or reads otherwise breaks users, and so does a member that
 * is new and not optional; other new lines are additions.
 */
export function compareReports(before: string, now: string): ApiChange {
  const [old, fresh] = [meaningful(before), meaningful(now)];
  const gone = missing(old, fresh);
  const added = missing(fresh, old);
  const lines = [...gone.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)];
  if (gone.length > 0 || added.some(demands)) return { change: 'major', lines };
  return { change: added.length > 0 ? 'minor' : 'patch', lines };
}

/** The number that a change raises at least: while the first one is 0, a breaking change raises the second. */
export function neededBump(version: string, change: Change): Change {
  return major(version) === 0 && change === 'major' ? 'minor' : change;
}

/** @throws Error when the version is none */
export function raised(version: string, bump: Change): string {
  const next = inc(version, bump);
  if (next === null) throw new Error(`"${version}" is not a version`);
  return next;
}
