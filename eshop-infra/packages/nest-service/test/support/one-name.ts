import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** One address behind which a server stands, and another one later: connections that are open stay with the one they were made to. */
export interface OneName {
  readonly port: number;
  /** New connections go to this port from now on. */
  pointAt(port: number): void;
  close(): Promise<void>;
}

export async function oneName(port: number): Promise<OneName> {
  let target = port;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => to.write(data));
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    pointAt: (next) => {
      target = next;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
