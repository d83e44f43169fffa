import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that can lose what the server says. */
export interface LossyProxy {
  address: string;
  /** From now on nothing of the server's reaches the client on open connections. */
  dropReplies(): void;
  /** Breaks all open connections; new ones work. */
  cut(): void;
  close(): Promise<void>;
}

export async function startProxy(target: string): Promise<LossyProxy> {
  const [host, port] = target.split(':');
  const sockets = new Set<Socket>();
  const muted = new WeakSet<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => upstream.write(data));
    upstream.on('data', (data) => muted.has(client) || client.write(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    dropReplies: () => {
      for (const socket of sockets) muted.add(socket);
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
