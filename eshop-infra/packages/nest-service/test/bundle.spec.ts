import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StockDeductRequest } from '@eshop/proto/stock';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, type TestDatabase, testDatabase } from '../src/testing/index.js';
import { rawCall } from './support/raw-call.js';
import { type ServiceProcess, startProcess } from './support/start-process.js';

const COMPILED = join(process.cwd(), 'node_modules/.cache/test-app');

let database: TestDatabase;
let copy: string;
/** Where no node_modules are near. */
let lonely: string;
let running: ServiceProcess | undefined;

beforeAll(async () => {
  database = await testDatabase('bundle');
  // Inside of the package, where what it imports can be found; a copy, since the bundle takes the place of its files.
  copy = mkdtempSync(join(process.cwd(), 'node_modules/.cache/bundle-'));
  cpSync(COMPILED, copy, { recursive: true });
  execFileSync(process.execPath, [join(COMPILED, 'src/bundle/main.js'), join(copy, 'test/app/main.js')]);
  lonely = mkdtempSync(join(tmpdir(), 'nest-service-bundle-'));
  cpSync(join(copy, 'test/app'), lonely, { recursive: true });
}, 120_000);
afterEach(() => {
  running?.child.kill('SIGKILL');
});
afterAll(async () => {
  for (const directory of [copy, lonely]) if (directory) rmSync(directory, { recursive: true, force: true });
  await database?.drop();
});

async function start(env: Record<string, string> = {}): Promise<ServiceProcess> {
  running = await startProcess(database.mysql, env, join(lonely, 'main.js'));
  return running;
}

describe('a bundled service', () => {
  test('is one script with its map, its licences and the files of Swagger UI', () => {
    expect(readdirSync(lonely).sort()).toEqual(['main.js', 'main.js.LEGAL.txt', 'main.js.map', 'swagger-ui']);
  });

  test('has a script of ASCII only', () => {
    expect(readFileSync(join(lonely, 'main.js')).findIndex((byte) => byte > 0x7f)).toBe(-1);
  });

  test('runs without node_modules, serves both transports and Swagger UI, and drains', async () => {
    const service = await start();
    const url = `http://127.0.0.1:${service.httpPort}`;
    for (const path of ['/ready', '/apis/swagger.json', '/apis/swagger/index.html', '/apis/swagger/swagger-ui.css']) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
    }
    const request = StockDeductRequest.encode({ productID: 9, productCount: 1, saleID: 0 }).finish();
    expect(await rawCall(`127.0.0.1:${service.grpcPort}`, '/api.stock.v1.stock/StockDeduct', request)).toMatchObject({
      error: null,
    });
    service.child.kill('SIGTERM');
    expect(await service.exited).toBe(0);
  });

  test('keeps the names by which Swagger knows lazy types: no reference leads nowhere', async () => {
    const service = await start();
    const answer = await fetch(`http://127.0.0.1:${service.httpPort}/apis/swagger.json`);
    const document = (await answer.json()) as { components: { schemas: object } };
    const known = new Set(Object.keys(document.components.schemas));
    const named = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]*)"/g)].map(([, name]) => name);
    expect(named.filter((name) => !known.has(name ?? ''))).toEqual([]);
    expect(named).not.toEqual([]);
  });

  test('keeps the names of classes, by which TypeORM knows migrations and Nest names its logs', async () => {
    const service = await start();
    const names = await database.query('SELECT name FROM migrations ORDER BY name');
    expect(names).toEqual([{ name: 'CreateNote1763800000001' }, { name: 'CreateStock1763800000000' }]);
    const line = '"context":"InstanceLoader","msg":"AppModule dependencies initialized"';
    await eventually(async () => service.output().includes(line) || undefined, 'the log line of the module');
  });
});
