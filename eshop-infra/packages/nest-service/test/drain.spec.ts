import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { StockDeductRequest } from '@eshop/proto/stock';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type TestDatabase, testDatabase } from '../src/testing/index.js';
import { send } from '../src/testing/send.js';
import { rawCall } from './support/raw-call.js';
import { type ServiceProcess, startProcess } from './support/start-process.js';

let database: TestDatabase;
let running: ServiceProcess | undefined;
beforeAll(async () => {
  database = await testDatabase('drain');
});
afterEach(() => {
  running?.child.kill('SIGKILL');
});
afterAll(() => database?.drop());

const BODY = { productID: 9, productCount: 1, saleID: 0 };
const bytes = StockDeductRequest.encode(BODY).finish();

async function start(env: Record<string, string>): Promise<ServiceProcess> {
  running = await startProcess(database.mysql, env);
  return running;
}

/** Resolves when `count` calls have arrived in the service. */
async function arrived({ child }: ServiceProcess, count: number): Promise<void> {
  for (let seen = 0; seen < count; ) {
    const [message] = await once(child, 'message');
    if ((message as { called?: true }).called) seen++;
  }
}

async function refusesConnections(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const refused = await Promise.race([
      once(socket, 'connect').then(() => false),
      once(socket, 'error').then(() => true),
    ]).catch(() => true);
    socket.destroy();
    if (refused) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('SIGTERM', () => {
  test('requests in flight finish on both transports, new ones are not accepted, exit code 0', async () => {
    const service = await start({ HOLD: 'true' });
    const url = `http://127.0.0.1:${service.httpPort}`;
    const agent = new Agent({ keepAlive: true });
    const idle = request(`${url}/health`, { agent }).end();
    const [answer] = await once(idle, 'response');
    answer.resume();
    await once(answer, 'end');

    const calls = arrived(service, 2);
    const http = send('POST', `${url}/api/v1/stock/deduct`, BODY);
    const grpc = rawCall(`127.0.0.1:${service.grpcPort}`, '/api.stock.v1.stock/StockDeduct', bytes);
    await calls;
    service.child.kill('SIGTERM');
    await refusesConnections(service.httpPort);
    await refusesConnections(service.grpcPort);
    service.child.send('go');

    const answered = await http;
    expect(answered.status).toBe(200);
    expect(answered.body).toEqual({ code: 0, msg: 'ok', data: {} });
    expect((await grpc).error).toBeNull();
    expect(await service.exited).toBe(0);
    agent.destroy();
    const lines = service
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ msg }) => msg === 'http' || msg === 'grpc')).toHaveLength(2);
    expect(lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  test('what does not finish within drainMs is cut off', async () => {
    const service = await start({ HOLD: 'true', SHUTDOWN_DRAIN_MS: '100' });
    const calls = arrived(service, 2);
    const http = send('POST', `http://127.0.0.1:${service.httpPort}/api/v1/stock/deduct`, BODY).catch(() => 'cut off');
    const grpc = rawCall(`127.0.0.1:${service.grpcPort}`, '/api.stock.v1.stock/StockDeduct', bytes);
    await calls;
    service.child.kill('SIGTERM');
    expect(await http).toBe('cut off');
    expect((await grpc).error).not.toBeNull();
    expect(await service.exited).toBe(0);
    expect(service.output()).toContain('cut off');
  });

  test('not ready while shutting down', async () => {
    const service = await start({ SHUTDOWN_DELAY_MS: '300' });
    service.child.kill('SIGTERM');
    let status = 200;
    while (status === 200) status = (await fetch(`http://127.0.0.1:${service.httpPort}/ready`)).status;
    expect(status).toBe(503);
    expect(await service.exited).toBe(0);
  });
});

describe('a start that fails', () => {
  test('wrong configuration: exit code 1, every reason on standard error', async () => {
    const failed = startProcess(database.mysql, { HTTP_PORT: 'x', MYSQL_POOL_SIZE: '0' });
    await expect(failed).rejects.toThrow(/exit 1: [\s\S]*stock cannot start[\s\S]*HTTP_PORT[\s\S]*MYSQL_POOL_SIZE/);
  });

  test('taken port: exit code 1', async () => {
    const service = await start({});
    const failed = startProcess(database.mysql, { HTTP_PORT: String(service.httpPort), HTTP_HOST: '0.0.0.0' });
    await expect(failed).rejects.toThrow(/exit 1: [\s\S]*stock cannot start[\s\S]*EADDRINUSE/);
  });

  test('no database server: exit code 1 after startTimeoutMs', async () => {
    const failed = startProcess({ ...database.mysql, port: 1 }, { MYSQL_START_TIMEOUT_MS: '100' });
    await expect(failed).rejects.toThrow(/exit 1: [\s\S]*stock cannot start[\s\S]*ECONNREFUSED/);
  });
});
