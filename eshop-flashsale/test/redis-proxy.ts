import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy in front of Redis, so that a test can take it away, or hold what goes through it. */
export class RedisProxy {
  private readonly sockets = new Set<Socket>();
  private up = true;
  private hold: { text: string; side: 'request' | 'reply'; held: () => void } | undefined;

  private constructor(
    private readonly server: Server,
    private target: URL,
  ) {}

  static async to(url: string): Promise<RedisProxy> {
    const server = createServer((incoming) => {
      const { hostname, port } = proxy.target;
      proxy.pass(incoming, connect(Number(port || 6379), hostname));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new RedisProxy(server, new URL(url));
    return proxy;
  }

  /** New connections go there from now on; those that are open stay where they are. */
  pointAt(url: string): void {
    this.target = new URL(url);
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends every connection, and new ones as they come. */
  takeDown(): void {
    this.up = false;
    for (const socket of this.sockets) socket.destroy();
  }

  bringBack(): void {
    this.up = true;
  }

  /** Answers nothing any more, while connections stay. */
  freeze(): void {
    for (const socket of this.sockets) socket.pause();
  }

  /**
   * Resolves when a request with this text has come. From then on its connection lets nothing through: neither the request
   * (`side` request), or the request but no reply (`side` reply).
   */
  holdAt(text: string, side: 'request' | 'reply'): Promise<void> {
    return new Promise((held) => {
      this.hold = { text, side, held };
    });
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
    if (!this.up) {
      incoming.destroy();
      return;
    }
    let silent = false;
    incoming.on('data', (bytes) => {
      const { hold } = this;
      if (hold && bytes.includes(hold.text)) {
        this.hold = undefined;
        silent = true;
        if (hold.side === 'reply') outgoing.write(bytes);
        hold.held();
      } else if (!silent) outgoing.write(bytes);
    });
    outgoing.on('data', (bytes) => {
      if (!silent) incoming.write(bytes);
    });
  }
}
