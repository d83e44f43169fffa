import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DataSource } from 'typeorm';
import { freePort } from '../src/testing/index.js';
import { env } from './support/env.js';
import { mysqlStore, ownDtm } from './support/own-dtm.js';
import { until } from './support/until.js';

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

describe('the first application of the README', () => {
  const database = `nest_dtm_first_${randomBytes(6).toString('hex')}`;
  const main = new URL('../examples/first/main.ts', import.meta.url);
  const sql = async (statement: string): Promise<void> => {
    const admin = await new DataSource({ type: 'mysql', url: env.mysqlUrl }).initialize();
    await admin.query(statement);
    await admin.destroy();
  };
  let readme: string;

  beforeAll(async () => {
    await build();
    readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    await sql(`CREATE DATABASE ${database}`);
  }, 60_000);
  afterAll(() => sql(`DROP DATABASE IF EXISTS ${database}`));

  test('is the one that is tested', async () => {
    expect(/```ts\n(import 'reflect-metadata';[^`]*(?:`[^`]+`[^`]*)*?)```/.exec(readme)?.[1]).toBe(
      await readFile(main, 'utf8'),
    );
  });

  test('compiles as `nest new` sets it, under strict, and answers what the README says', async () => {
    await run(process.execPath, ['node_modules/ts7/bin/tsc', '-p', 'test/first.tsconfig.json'], { cwd: root });
    await run('npm', ['run', '-s', 'examples'], { cwd: root });
    const port = await freePort();
    const app = spawn(process.execPath, ['examples/dist/first/main.js'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        PORT: `${port}`,
        DTM_HTTP: env.dtmHttp,
        MYSQL_URL: `${env.mysqlUrl}/${database}`,
      },
    });
    const ended = new Promise((resolve) => app.once('exit', resolve));
    try {
      await until(
        'the application listens',
        async () => (await fetch(`http://127.0.0.1:${port}/accounts`).catch(() => undefined))?.ok,
      );
      const commands = [...readme.matchAll(/^\$ curl (?:-X POST )?localhost:3000(\S+)(?: .* -d '(.*)')?\n(.*)$/gm)];
      expect(commands).toHaveLength(3);
      for (const [, path = '', body, said = ''] of commands) {
        // Ids of the README's own would be those of each run.
        const own = (text: string): string => text.replace(/\bt-(\d)/, `${database}-$1`);
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(
          `http://127.0.0.1:${port}${own(path)}`,
          body ? { method: 'POST', headers, body } : {},
        );
        expect(await response.text()).toBe(own(said));
      }
    } finally {
      app.kill();
      await ended;
    }
  }, 60_000);

  test('has the tables of DTM 1.18 in its package', async () => {
    const tables = await readFile(new URL('../examples/first/dtm.sql', import.meta.url), 'utf8');
    const statements = tables
      .replace(/--.*/g, '')
      .split(';')
      .slice(2)
      .map((statement) => statement.trim())
      .filter(Boolean);
    const store = `${database}_dtm`;
    await sql(`CREATE DATABASE ${store}`);
    const dataSource = await new DataSource({ type: 'mysql', url: `${env.mysqlUrl}/${store}` }).initialize();
    let dtm: Awaited<ReturnType<typeof ownDtm>> | undefined;
    try {
      for (const statement of statements) await dataSource.query(statement);
      dtm = await ownDtm(mysqlStore(store));
      const body = JSON.stringify({
        gid: database,
        trans_type: 'saga',
        steps: [{ action: '', compensate: '' }],
        payloads: [''],
        wait_result: true,
      });
      const submitted = await fetch(`${dtm.http}/api/dtmsvr/submit`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(await submitted.json()).toMatchObject({ dtm_result: 'SUCCESS' });
      expect(await dataSource.query('SELECT gid, status FROM trans_global')).toEqual([
        { gid: database, status: 'succeed' },
      ]);
    } finally {
      await dtm?.server.remove();
      await dataSource.destroy();
      await sql(`DROP DATABASE ${store}`);
    }
  });
});

test('the published package is small and holds nothing but what is used', async () => {
  await build();
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json'], { cwd: root });
  const [pack]: { size: number; files: { path: string }[] }[] = Object.values(JSON.parse(stdout));
  const strange = pack?.files
    .map(({ path }) => path)
    .filter(
      (path) =>
        !/^dist\/.*\.(js|d\.ts)$|^(README|CHANGELOG|docs\/traps)\.md$|^examples\/[\w./-]+\.(ts|md|sql|json)$|^LICENSE$|^package\.json$/.test(
          path,
        ),
    );
  expect(strange).toEqual([]);
  expect(pack?.size).toBeLessThan(250_000);
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect(Object.keys(manifest.dependencies)).toEqual(['@bufbuild/protobuf']);
}, 60_000);
