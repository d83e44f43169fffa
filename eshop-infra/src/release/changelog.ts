const UNRELEASED = /^## Unreleased\n([\s\S]*?)(?=^## |$(?![\s\S]))/m;

/**
 * The changelog with what is new under the heading of a version.
 * @throws Error when nothing is written under `## Unreleased`
 */
export function releasedChangelog(text: string, version: string): string {
  const [whole, entries = ''] = UNRELEASED.exec(text) ?? [];
  if (whole === undefined || entries.trim() === '') {
    throw new Error('CHANGELOG.md says nothing under "## Unreleased": write there what users will notice');
  }
  return text.replace(whole, `## ${version}\n${entries}`);
}
