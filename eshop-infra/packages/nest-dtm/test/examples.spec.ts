import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DataSource } from 'typeorm';
import { env } from './support/env.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

async function newest(folder: string): Promise<number> {
  const names = await readdir(new URL(`../${folder}`, import.meta.url), { recursive: true });
  const times = await Promise.all(
    names.map(async (name) => (await stat(new URL(`../${folder}/${name}`, import.meta.url))).mtimeMs),
  );
  return Math.max(0, ...times);
}

/** The examples use the built package, as a user does. */
async function build(): Promise<void> {
  const built = await newest('dist').catch(() => 0);
  if (built < (await newest('src'))) await run('npm', ['run', 'build'], { cwd: root });
}

/** What the README of the examples says a command prints. */
async function promised(command: string): Promise<string> {
  const readme = await readFile(new URL('../examples/README.md', import.meta.url), 'utf8');
  const [, after] = readme.split(`$ ${command}\n`);
  return after?.split(/\n\n|\n```/)[0] ?? '';
}

describe('examples', () => {
  const database = `nest_dtm_example_${randomBytes(6).toString('hex')}`;

  beforeAll(build, 60_000);
  afterAll(async () => {
    const admin = await new DataSource({ type: 'mysql', url: env.mysqlUrl }).initialize();
    await admin.query(`DROP DATABASE IF EXISTS ${database}`);
    await admin.destroy();
  });

  test.each(['example:saga', 'example:message', 'example:workflow'])(
    'npm run %s prints what its README says',
    async (script) => {
      const { stdout } = await run('npm', ['run', '-s', script], {
        cwd: root,
        env: {
          ...process.env,
          DTM_GRPC: env.dtmGrpc,
          DTM_HTTP: env.dtmHttp,
          MYSQL_URL: env.mysqlUrl,
          MYSQL_DATABASE: database,
          REDIS_URL: env.redisUrl,
        },
      });
      expect(stdout.trim()).toBe(await promised(`npm run ${script}`));
    },
    60_000,
  );
});

test('the published package is small and holds nothing but what is used', async () => {
  await build();
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json'], { cwd: root });
  const [pack]: { size: number; files: { path: string }[] }[] = Object.values(JSON.parse(stdout));
  const strange = pack?.files
    .map(({ path }) => path)
    .filter(
      (path) => !/^dist\/.*\.(js|d\.ts)$|^(README|CHANGELOG|docs\/traps)\.md$|^LICENSE$|^package\.json$/.test(path),
    );
  expect(strange).toEqual([]);
  expect(pack?.size).toBeLessThan(250_000);
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect(Object.keys(manifest.dependencies)).toEqual(['@bufbuild/protobuf']);
}, 60_000);
