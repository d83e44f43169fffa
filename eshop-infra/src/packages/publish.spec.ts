import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Progress } from '../base/progress.ts';
import { type Context, createContext, makeDirectories } from '../context.ts';
import { registryUrl } from '../install/npm.ts';
import { registryPart } from '../parts/registry.ts';
import { startParts, stopParts } from '../parts/start-parts.ts';
import { contentHash, tarballContents } from './content-hash.ts';
import { publishPackage, VersionTaken } from './publish.ts';
import { RegistryClient } from './registry-client.ts';

const root = mkdtempSync(join(tmpdir(), 'eshop-publish-'));
const directory = join(root, 'thing');
const quiet = { note: () => {}, result: (text: string) => results.push(text), failed: () => {} };
const results: string[] = [];
const silent = new Progress({ write: () => true });
let context: Context;

function writePackage(version: string, text: string): void {
  mkdirSync(directory, { recursive: true });
  const manifest = { name: '@eshop/thing', version, files: ['index.js'], type: 'module' };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(directory, 'index.js'), text);
}

const publish = () =>
  publishPackage(context, { name: '@eshop/thing', directory }, new RegistryClient(registryUrl(context)), quiet);

function pack(name: string): string {
  const target = join(root, name);
  mkdirSync(target);
  execFileSync('npm', ['pack', '--pack-destination', target], { cwd: directory, stdio: 'ignore' });
  return join(target, 'eshop-thing-1.0.0.tgz');
}

beforeAll(async () => {
  // an instance of its own; the port is free in all others, since their registry's differs by at least 10
  const env = { ...process.env, ESHOP_STATE: root, ESHOP_PORT_REGISTRY: String(20_000 + (process.pid % 9_000)) };
  context = createContext({ instance: 'publish-spec', env });
  makeDirectories(context);
  await startParts(context, [registryPart], silent);
});

afterAll(async () => {
  await stopParts(context, [registryPart], silent);
  rmSync(root, { recursive: true });
  rmSync(context.paths.sockets, { recursive: true, force: true });
});

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
    const registry = new RegistryClient(registryUrl(context));
    expect(await registry.find('@eshop/thing', '9.9.9')).toBeUndefined();
    expect(await registry.find('@eshop/nothing', '1.0.0')).toBeUndefined();
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
