import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Where a proxy breaks off: at this request, counted over all connections; `served`: the server has got it all the same. */
export interface BreakingPoint {
  request: number;
  served: boolean;
}

/** A TCP proxy that can lose what the server says, or die for its clients as a killed process does. */
export interface LossyProxy {
  address: string;
  /** From now on nothing of the server's reaches the client on open connections. */
  dropReplies(): void;
  /** Breaks all open connections; new ones work. */
  cut(): void;
  /** Breaks all open connections at a later moment; `undefined`: at none. */
  cutAt(point: BreakingPoint | undefined): void;
  /** Resolves when the server has noticed the end of every connection that was broken by `cutAt`. */
  noticed(): Promise<void>;
  close(): Promise<void>;
}

export async function startProxy(target: string): Promise<LossyProxy> {
  const [host, port] = target.split(':');
  const pairs = new Map<Socket, Socket>();
  const broken = new Set<Promise<void>>();
  const muted = new WeakSet<Socket>();
  let point: BreakingPoint | undefined;

  /** Ends the upstream side in order, so that what is on its way arrives. */
  const breakOff = (): void => {
    for (const [client, upstream] of pairs) {
      pairs.delete(client);
      muted.add(client);
      broken.add(new Promise((resolve) => upstream.once('close', () => resolve())));
      upstream.end();
      client.destroy();
    }
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    pairs.set(client, upstream);
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(client);
        client.destroy();
        if (!upstream.writableEnded) upstream.destroy();
      });
    }
    client.on('data', (data) => {
      const last = point && --point.request <= 0 ? point : undefined;
      if (!last || last.served) upstream.write(data);
      if (!last) return;
      point = undefined;
      breakOff();
    });
    upstream.on('data', (data) => muted.has(client) || client.write(data));
  });
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    dropReplies: () => {
      for (const client of pairs.keys()) muted.add(client);
    },
    cut,
    cutAt: (at) => {
      point = at && { ...at };
    },
    noticed: async () => {
      await Promise.all(broken);
      broken.clear();
    },
    close: () =>
      new Promise((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}
