import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registryUrl } from '../install/npm.ts';
import { contentHash, tarballContents } from './content-hash.ts';
import { publishPackage, VersionTaken } from './publish.ts';
import { RegistryClient } from './registry-client.ts';
import { type ThrowAwayRegistry, throwAwayRegistry } from './testing/throw-away-registry.ts';

const quiet = { note: () => {}, result: (text: string) => results.push(text), failed: () => {} };
const results: string[] = [];
let registry: ThrowAwayRegistry;
let root: string;
let directory: string;

function writePackage(version: string, text: string): void {
  mkdirSync(directory, { recursive: true });
  const manifest = { name: '@eshop/thing', version, files: ['index.js'], type: 'module' };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(directory, 'index.js'), text);
}

const client = () => new RegistryClient(registryUrl(registry.context));
const publish = () => publishPackage(registry.context, { name: '@eshop/thing', directory }, client(), quiet);

function pack(name: string): string {
  const target = join(root, name);
  mkdirSync(target);
  execFileSync('npm', ['pack', '--pack-destination', target], { cwd: directory, stdio: 'ignore' });
  return join(target, 'eshop-thing-1.0.0.tgz');
}

beforeAll(async () => {
  registry = await throwAwayRegistry('publish');
  root = registry.directory;
  directory = join(root, 'thing');
});
afterAll(() => registry.stop());

describe('publishing to a real registry', () => {
  it('publishes a new version, leaves the same content alone, and refuses other content', async () => {
    writePackage('1.0.0', 'export default 1;\n');
    await publish();
    await publish();
    expect(results).toEqual(['published 1.0.0', '1.0.0 is published already']);

    writePackage('1.0.0', 'export default 2;\n');
    await expect(publish()).rejects.toThrow(VersionTaken);
    await expect(publish()).rejects.toThrow(/1 files differ: package\/index\.js.*raise "version"/s);

    writePackage('1.0.1', 'export default 2;\n');
    await publish();
    expect(results.at(-1)).toBe('published 1.0.1');
  });

  it('says what the registry does not have', async () => {
    expect(await client().find('@eshop/thing', '9.9.9')).toBeUndefined();
    expect(await client().find('@eshop/nothing', '1.0.0')).toBeUndefined();
    expect(await client().latest('@eshop/nothing')).toBeUndefined();
  });
});

describe('the content of a package', () => {
  it('is the same for two packings of the same files, whatever their times', async () => {
    writePackage('1.0.0', 'export default 1;\n');
    const first = await tarballContents(pack('first'));
    utimesSync(join(directory, 'index.js'), 1_000_000, 1_000_000);
    const second = await tarballContents(new Uint8Array(readFileSync(pack('second'))));
    expect([...first.keys()]).toEqual(['package/index.js', 'package/package.json']);
    expect(contentHash(second)).toBe(contentHash(first));
  });
});
