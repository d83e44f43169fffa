import { closedLoop } from './closed-loop.ts';
import { HttpClient } from './http-client.ts';
import { type LocalServer, localServer } from './testing/local-server.ts';

const open: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((what) => what.close()));
});

function client(server: LocalServer, connections: number): HttpClient {
  const made = new HttpClient(server.url, connections);
  open.push(made, server);
  return made;
}

const ok = { body: { code: 0, msg: 'ok', data: {} } };

it('sends as many requests as asked for, never more at once than there are clients, over kept connections', async () => {
  let running = 0;
  let most = 0;
  const server = await localServer(async () => {
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running--;
    return ok;
  });
  const http = client(server, 4);
  const result = await closedLoop({ clients: 4, seconds: 30, count: 101, send: (n) => http.post('/x', `{"n":${n}}`) });
  expect(result).toMatchObject({ ok: 101, errors: {} });
  expect(result.latencies).toHaveLength(101);
  expect(new Set(server.requests.map(({ body }) => body.n)).size).toBe(101);
  expect(most).toBeLessThanOrEqual(4);
  expect(server.connections()).toBeLessThanOrEqual(4);
});

it('stops when the time is up, and waits for what is under way', async () => {
  const server = await localServer(() => ok);
  const http = client(server, 2);
  const result = await closedLoop({ clients: 2, seconds: 0.2, send: () => http.get('/x') });
  expect(result.seconds).toBeGreaterThanOrEqual(0.2);
  expect(result.seconds).toBeLessThan(5);
  expect(result.ok).toBe(server.requests.length);
});

it('counts what is no success by status and code', async () => {
  let number = 0;
  const answers = [
    ok,
    { status: 409, body: { code: 40901, msg: 'no stock', data: {} } },
    { status: 200, body: { code: 7, msg: 'odd', data: {} } },
    { status: 502, body: '<html>' },
  ];
  const server = await localServer(() => answers[number++ % 4] ?? ok);
  const http = client(server, 1);
  const result = await closedLoop({ clients: 1, seconds: 30, count: 8, send: () => http.get('/x') });
  expect(result.ok).toBe(2);
  expect(result.errors).toEqual({ '409 40901 no stock': 2, '200 7 odd': 2, '502 -1 not JSON': 2 });
});

it('counts a server that is gone, without hammering it', async () => {
  const server = await localServer(() => ok);
  const http = client(server, 2);
  await server.close();
  const result = await closedLoop({ clients: 2, seconds: 0.3, send: () => http.get('/x') });
  expect(result.ok).toBe(0);
  expect(Object.keys(result.errors)).toEqual(['ECONNREFUSED']);
  expect(result.errors.ECONNREFUSED).toBeLessThan(20);
});
