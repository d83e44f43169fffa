import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** How a server can be away: `refused` as a dead one is, `hanging` as a frozen one is, which goes on where it stood. */
export type Away = 'refused' | 'hanging';

/** A TCP proxy in front of a server that can be away for a while. */
export interface OutageProxy {
  readonly port: number;
  /** Takes the server away. */
  leave(how: Away): Promise<void>;
  /** Brings it back. What was sent while it hung arrives now. */
  back(): Promise<void>;
  close(): Promise<void>;
}

/** Puts a proxy in front of `host:port`. */
export async function outageProxy(target: string): Promise<OutageProxy> {
  const [host, targetPort] = target.split(':');
  const pairs = new Map<Socket, Socket>();
  let away: Away | undefined;
  let server: Server | undefined;
  let port = 0;

  const accept = (client: Socket): void => {
    const upstream = connect(Number(targetPort), host);
    pairs.set(client, upstream);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.setNoDelay();
      from.on('data', (data) => to.write(data));
      from.on('error', () => undefined);
      from.on('close', () => {
        pairs.delete(client);
        to.destroy();
      });
      if (away === 'hanging') from.pause();
    }
  };
  const listen = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const opened = createServer(accept);
      opened.once('error', reject).listen(port, '127.0.0.1', () => {
        port = (opened.address() as AddressInfo).port;
        server = opened;
        resolve();
      });
    });
  const refuse = (): Promise<void> =>
    new Promise((resolve) => {
      const closed = server;
      server = undefined;
      for (const client of pairs.keys()) client.resetAndDestroy();
      if (closed) closed.close(() => resolve());
      else resolve();
    });
  await listen();
  return {
    get port() {
      return port;
    },
    leave: async (how) => {
      away = how;
      if (how === 'refused') return refuse();
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    back: async () => {
      away = undefined;
      if (!server) await listen();
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    close: refuse,
  };
}
