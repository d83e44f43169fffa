import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy in front of a server, so that a test can take the server away and bring it back. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private up = true;

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async to(target: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(target.includes('://') ? target : `tcp://${target}`);
    const server = createServer((incoming) => proxy.pass(incoming, connect(Number(port), hostname)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new TcpProxy(server, `127.0.0.1:${(server.address() as AddressInfo).port}`);
    return proxy;
  }

  /** Ends every connection, and new ones as they come. */
  takeDown(): void {
    this.up = false;
    for (const socket of this.sockets) socket.destroy();
  }

  bringBack(): void {
    this.up = true;
  }

  async close(): Promise<void> {
    this.takeDown();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(incoming: Socket, outgoing: Socket): void {
    for (const socket of [incoming, outgoing]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    }
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
    if (this.up) incoming.pipe(outgoing).pipe(incoming);
    else incoming.destroy();
  }
}
