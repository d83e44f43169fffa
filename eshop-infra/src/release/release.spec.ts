import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registryUrl } from '../install/npm.ts';
import { RegistryClient } from '../packages/registry-client.ts';
import { type ThrowAwayRegistry, throwAwayRegistry } from '../packages/testing/throw-away-registry.ts';
import type { Change } from './needed-bump.ts';
import { releasePackage } from './release.ts';
import { wantVersion } from './users.ts';

const NAME = '@eshop/thing';
let registry: ThrowAwayRegistry;
let directory: string;

beforeAll(async () => {
  registry = await throwAwayRegistry('release');
  directory = join(registry.directory, 'thing');
  const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } };
  const manifest = { name: NAME, version: '1.0.0', type: 'module', files: ['dist', 'CHANGELOG.md'], exports };
  put('package.json', JSON.stringify(manifest, null, 2));
  put(
    'package-lock.json',
    JSON.stringify({ name: NAME, version: '1.0.0', lockfileVersion: 3, packages: { '': manifest } }),
  );
  build('export declare function greet(name: string): string;');
});
afterAll(() => registry.stop());

function put(file: string, text: string): void {
  mkdirSync(join(directory, file, '..'), { recursive: true });
  writeFileSync(join(directory, file), text);
}
const read = (file: string) => readFileSync(join(directory, file), 'utf8');

/** As if the package had been built; its API is what the declarations say, exported again by its entry point. */
function build(declarations: string): void {
  put('dist/index.d.ts', "export * from './greet.js';\n");
  put('dist/greet.d.ts', `${declarations}\n`);
  put('dist/index.js', `// ${declarations}\nexport {};\n`);
}

const steps: string[] = [];
const quiet = { note: () => {}, result: (text: string) => steps.push(text), failed: () => {} };
const client = () => new RegistryClient(registryUrl(registry.context));
const release = (bump: Change) => releasePackage(registry.context, { name: 'thing', directory }, bump, client(), quiet);

const changelog = (entries: string) =>
  put('CHANGELOG.md', `# Changelog\n\n## Unreleased\n\n${entries}\n\n## 0.9.0\n\nOld.\n`);

describe('a release', () => {
  it('writes the number and the changelog, and publishes; the first one is compared with nothing', async () => {
    changelog('- Greets.');
    expect(await release('minor')).toBe('1.1.0');
    expect(read('CHANGELOG.md')).toBe('# Changelog\n\n## 1.1.0\n\n- Greets.\n\n## 0.9.0\n\nOld.\n');
    expect(JSON.parse(read('package.json'))).toMatchObject({ version: '1.1.0' });
    expect(JSON.parse(read('package-lock.json'))).toMatchObject({
      version: '1.1.0',
      packages: { '': { version: '1.1.0' } },
    });
    expect((await client().latest(NAME))?.version).toBe('1.1.0');
    expect(steps.at(-1)).toBe('1.1.0, the first');
  });

  it('is refused when it says nothing to users, and leaves everything as it was', async () => {
    changelog('');
    await expect(release('patch')).rejects.toThrow('CHANGELOG.md says nothing under "## Unreleased"');
    expect(JSON.parse(read('package.json'))).toMatchObject({ version: '1.1.0' });
  });

  it('may be a patch when the API is the same', async () => {
    changelog('- Greets faster.');
    put('dist/index.js', '// faster\nexport {};\n');
    expect(await release('patch')).toBe('1.1.1');
  });

  it('is refused as a patch when the API has more', async () => {
    changelog('- Says goodbye.');
    build('export declare function greet(name: string): string;\nexport declare function part(): void;');
    await expect(release('patch')).rejects.toThrow(
      /needs a minor release, not a patch one:\n {2}\.:\n {2}\+ export function part/,
    );
    expect(read('CHANGELOG.md')).toContain('## Unreleased');
    expect(await release('minor')).toBe('1.2.0');
  });

  it('is refused as a minor one when the API breaks its users', async () => {
    changelog('- Greets by number.');
    build('export declare function greet(id: number): string;\nexport declare function part(): void;');
    await expect(release('minor')).rejects.toThrow(/needs a major release/);
    expect(await release('major')).toBe('2.0.0');
    expect((await client().latest(NAME))?.version).toBe('2.0.0');
  });

  it('of a number that is not above the published one is refused', async () => {
    changelog('- Once more.');
    put('package.json', read('package.json').replace('2.0.0', '1.0.0'));
    await expect(release('minor')).rejects.toThrow('would become 1.1.0, and 2.0.0 is published');
  });
});

describe('those who use a package', () => {
  it('want the new version: exact ones it, ranges only when they do not hold it', () => {
    const user = { name: 'user', directory: join(registry.directory, 'user') };
    mkdirSync(user.directory);
    const file = join(user.directory, 'package.json');
    writeFileSync(file, JSON.stringify({ dependencies: { [NAME]: '1.1.0' }, peerDependencies: { [NAME]: '^1.0.0' } }));
    expect(wantVersion(user, NAME, '1.2.0')).toBe(true);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      dependencies: { [NAME]: '1.2.0' },
      peerDependencies: { [NAME]: '^1.0.0' },
    });
    expect(wantVersion(user, NAME, '1.2.0')).toBe(false);
    expect(wantVersion(user, NAME, '2.0.0')).toBe(true);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      dependencies: { [NAME]: '2.0.0' },
      peerDependencies: { [NAME]: '^2.0.0' },
    });
  });
});
