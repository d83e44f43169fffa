import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { createContext } from '../create-context.ts';
import type { Stack } from '../stacks/stack.ts';
import { withAllServices } from '../testing/all-services.ts';
import { partsNamed } from './all.ts';
import { untilReady } from './ready.ts';
import { startParts } from './start-parts.ts';

const silent = new Progress({ isTTY: false, write: () => true });
const state = mkdtempSync(join(tmpdir(), 'eshop-needs-'));
afterAll(() => rmSync(state, { recursive: true }));

/** An instance of which these parts run, by name; what is started runs from then on. */
function instance(running: Set<string>, { name = 'needs', env = {} } = {}): Context & { begun: string[] } {
  const context = withAllServices(
    createContext({ instance: name, env: { ...process.env, ESHOP_STATE: state, ...env } }),
    join(state, 'checkout'),
  );
  const begun: string[] = [];
  const stack: Stack = {
    ...context.stack,
    provide: async () => undefined,
    installer: () => undefined,
    find: async (_context, part) => (running.has(part.name) ? { pid: 1 } : undefined),
    async start(_context, part) {
      begun.push(part.name);
      running.add(part.name);
    },
  };
  return Object.defineProperties(context, {
    stack: { value: stack },
    begun: { value: begun },
  }) as Context & { begun: string[] };
}

const start = (context: Context, ...names: string[]) => startParts(context, partsNamed(context, names), silent);

describe('a part whose needs do not run', () => {
  it.each([
    ['order', [], 'order needs mysql, kafka and dtm-mysql, which do not run', 'mysql kafka dtm-mysql'],
    ['order', ['mysql', 'kafka'], 'order needs dtm-mysql, which does not run', 'dtm-mysql'],
    ['order', ['dtm-mysql', 'kafka'], 'order needs mysql, which does not run', 'mysql'],
    ['flashsale', ['kafka'], 'flashsale needs redis and dtm-redis, which do not run', 'redis dtm-redis'],
    ['stock', ['dtm-mysql'], 'stock needs mysql, which does not run', 'mysql'],
    ['dtm-mysql', ['redis'], 'dtm-mysql needs mysql, which does not run', 'mysql'],
    ['dtm-redis', ['mysql'], 'dtm-redis needs redis, which does not run', 'redis'],
  ])(
    '%s, where %j run, is not begun: it says what is missing and how to start it',
    async (name, running, text, command) => {
      const context = instance(new Set(running));
      const began = performance.now();
      await expect(start(context, name)).rejects.toThrow(
        new RegExp(`^${text} \\(start (it|them): eshop --instance needs start ${command}\\)$`),
      );
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(context.begun).toEqual([]);
    },
  );

  it('is told for all that lack it', async () => {
    const context = instance(new Set(['mysql', 'dtm-mysql']), { name: 'default' });
    await expect(start(context, 'stock', 'order', 'flashsale')).rejects.toThrow(
      'order and flashsale need redis, kafka and dtm-redis, which do not run (start them: eshop start redis kafka dtm-redis)',
    );
    expect(context.begun).toEqual([]);
  });

  it('is begun when they are named too, behind them', async () => {
    const context = instance(new Set(['kafka']));
    await start(context, 'order', 'dtm-mysql', 'mysql');
    expect(context.begun).toEqual(['mysql', 'dtm-mysql', 'order']);
  });

  it('needs the balancer where the instance has one', async () => {
    const context = instance(new Set(['mysql', 'dtm-mysql']), { env: { ESHOP_REPLICAS: '2' } });
    await expect(start(context, 'stock-2')).rejects.toThrow('stock-2 needs balancer, which does not run');
  });

  it('does not hold up one that needs nothing', async () => {
    const context = instance(new Set());
    await start(context, 'mysql', 'redis', 'gw');
    expect(context.begun.sort()).toEqual(['gw', 'mysql', 'redis']);
  });
});

it('what ends while it is needed ends the wait, with its name', async () => {
  const server: Server = createServer((socket) =>
    socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const running = new Set(['mysql', 'dtm-mysql', 'kafka']);
  const context = instance(running, { env: { ESHOP_PORT_ORDER_HTTP: String(port) } });
  const [order] = partsNamed(context, ['order']);
  if (!order) throw new Error('no order');
  let looks = 0;
  const began = performance.now();
  try {
    const waiting = untilReady(context, order, {
      isAlive: () => {
        if (++looks === 3) running.delete('mysql');
        return true;
      },
    });
    await expect(waiting).rejects.toThrow(/^order: order needs mysql, which does not run \(start it: eshop/);
    expect(performance.now() - began).toBeLessThan(order.readyMs / 2);
  } finally {
    server.close();
  }
});
