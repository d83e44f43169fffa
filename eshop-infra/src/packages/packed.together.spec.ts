import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { x } from 'tar';
import { createContext } from '../create-context.ts';
import { packageRounds } from './repositories.ts';

interface PackageJson {
  name: string;
  version: string;
  type: string;
  license?: string;
  description?: string;
  engines?: { node?: string };
  exports: Record<string, string | Record<string, string>>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

const packages = packageRounds(createContext()).flat();
const root = mkdtempSync(join(tmpdir(), 'eshop-packed-'));
afterAll(() => rmSync(root, { recursive: true }));

const wanted =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|docs\/[\w-]+\.md|proto\/[\w/]+\.proto|examples\/[\w/.-]+|dist\/[\w/.-]+\.(js|d\.ts))$/;
/** `@nestjs/common/internal.js` → `@nestjs/common` */
const packageOf = (id: string) => id.split('/', id.startsWith('@') ? 2 : 1).join('/');
const imports = /^(?:import|export)\s(?:[\w*{}\s,$]+\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm;

// built by "eshop publish", which "eshop test" carries out first
describe.each(packages)('the package of $name, packed as it is published', ({ name, directory }) => {
  const unpacked = join(root, name);
  let files: string[];
  let manifest: PackageJson;
  const read = (file: string) => readFileSync(join(unpacked, file), 'utf8');

  beforeAll(async () => {
    const to = mkdtempSync(join(root, 'tarball-'));
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', to], { cwd: directory, stdio: 'ignore' });
    const [tarball = ''] = readdirSync(to);
    execFileSync('mkdir', [unpacked]);
    await x({ file: join(to, tarball), cwd: unpacked, strip: 1 });
    files = readdirSync(unpacked, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length + 1));
    manifest = JSON.parse(read('package.json')) as PackageJson;
  });

  it('holds what its users need, examples too, and nothing else: no sources, no tests, no source maps', () => {
    expect(files.filter((file) => !wanted.test(file) || /\.(spec|test)\./.test(file))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md']));
    expect(
      files.filter((file) => file.endsWith('.js')).filter((file) => read(file).includes('sourceMappingURL')),
    ).toEqual([]);
  });

  it('says what it is', () => {
    expect(manifest).toMatchObject({ type: 'module', license: 'MIT', engines: { node: expect.any(String) } });
    expect(manifest.description).toBeTruthy();
    expect(read('README.md')).toMatch(new RegExp(`^# ${manifest.name}\n`));
    expect(read('CHANGELOG.md')).toMatch(
      new RegExp(`^## (Unreleased|${manifest.version.replaceAll('.', '\\.')})$`, 'm'),
    );
  });

  it('exports ES modules, each with its types', () => {
    for (const [entry, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') expect([entry, target]).toEqual(['./package.json', './package.json']);
      else {
        expect(Object.keys(target)).toEqual(['types', 'default']);
        for (const file of Object.values(target)) expect(existsSync(join(unpacked, file))).toBe(true);
      }
    }
  });

  it('is well for publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: unpacked, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('imports only what it says it depends on', () => {
    const declared = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.peerDependencies ?? {})];
    const strangers = new Set<string>();
    const entries = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [] : Object.values(target).map((file) => join(file)),
    );
    const reached = new Set(entries);
    for (const file of reached) {
      for (const [, fixed, dynamic = ''] of read(file).matchAll(imports)) {
        const id = fixed ?? dynamic;
        if (id.startsWith('.')) {
          const next = join(file, '..', id);
          reached.add(file.endsWith('.d.ts') ? next.replace(/\.js$/, '.d.ts') : next);
          continue;
        }
        const outside = !id.startsWith('node:') && !builtinModules.includes(id);
        if (outside && !declared.includes(packageOf(id))) strangers.add(`${file}: ${id}`);
      }
    }
    expect(reached.size).toBeGreaterThan(entries.length);
    expect([...strangers]).toEqual([]);
  });
});
