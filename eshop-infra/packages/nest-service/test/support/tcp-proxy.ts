import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Passes connections on to a server, and counts them. */
export interface TcpProxy {
  readonly port: number;
  /** Connections so far. */
  connections(): number;
  /** From now on the connections that are open stay so, and nothing comes through them. */
  silence(): void;
  /** New connections go to this port from now on; those that are open stay with the server they were made to. */
  pointAt(port: number): void;
  close(): void;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function tcpProxy(to: { readonly port: number; readonly host?: string }): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let connections = 0;
  let target = { host: '127.0.0.1', ...to };
  const join = (from: Socket, into: Socket) => {
    open.add(from);
    from.setNoDelay();
    from.pipe(into);
    from.on('error', () => into.destroy());
    from.on('close', () => {
      open.delete(from);
      into.end();
    });
  };
  const server = createServer((client) => {
    connections++;
    const upstream = connect(target);
    join(client, upstream);
    join(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    silence: () => {
      for (const socket of open) socket.unpipe().resume();
    },
    pointAt: (port) => {
      target = { ...target, port };
    },
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
