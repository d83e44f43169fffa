import { connect, createServer, type Server, type Socket } from 'node:net';

/** Where a server listens. */
export interface Address {
  host: string;
  port: number;
}

const CONNECT_MS = 1_000;

/** @throws Error when the text is not `host:port` */
export function addressOf(text: string): Address {
  const [, host, port] = /^([\w.-]+):(\d{1,5})$/.exec(text) ?? [];
  if (!host || !port) throw new Error(`"${text}" is not a host:port`);
  return { host, port: Number(port) };
}

/**
 * One address for several replicas: each connection goes to the next of them that accepts it, and ends when either side ends
 * it. A replica that is gone costs its callers their connections and nothing more.
 */
export class Balancer {
  private readonly replicas: readonly Address[];
  private readonly server: Server;
  private readonly clients = new Set<Socket>();
  private turn = 0;

  constructor(replicas: readonly Address[]) {
    this.replicas = replicas;
    this.server = createServer({ noDelay: true, pauseOnConnect: true }, (client) => void this.serve(client));
  }

  /** Resolves with the port. */
  listen({ host, port }: Address): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        const bound = this.server.address();
        resolve(typeof bound === 'object' && bound ? bound.port : port);
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const client of this.clients) client.destroy();
    await closed;
  }

  private async serve(client: Socket): Promise<void> {
    this.clients.add(client);
    client.once('close', () => this.clients.delete(client));
    client.on('error', () => client.destroy());
    const first = this.turn++;
    for (let index = 0; index < this.replicas.length; index++) {
      const replica = this.replicas[(first + index) % this.replicas.length];
      const server = replica && (await connected(replica));
      if (!server) continue;
      server.on('error', () => server.destroy());
      server.once('close', () => client.destroy());
      client.once('close', () => server.destroy());
      if (client.destroyed) server.destroy();
      client.pipe(server).pipe(client);
      return;
    }
    client.destroy();
  }
}

/** A connection to a replica, undefined when it accepts none. */
function connected(replica: Address): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...replica, noDelay: true });
    const refused = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(CONNECT_MS, refused);
    socket.once('error', refused);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', refused);
      resolve(socket);
    });
  });
}
