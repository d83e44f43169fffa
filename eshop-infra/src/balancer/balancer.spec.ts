import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { addressOf, Balancer } from './balancer.ts';

/** A server that answers whatever it is sent with its name. */
class Replica {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(name: string) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('data', () => socket.write(name));
    });
  }

  async start(port = 0): Promise<number> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  async kill(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

const at = (port: number) => ({ host: '127.0.0.1', port });

async function connectTo(port: number): Promise<Socket> {
  const socket = connect(at(port));
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket): Promise<string> {
  socket.write('who?');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

describe('a balancer', () => {
  const replicas = [new Replica('a'), new Replica('b')] as const;
  let balancer: Balancer;
  let port: number;

  beforeEach(async () => {
    const [a, b] = [new Replica('a'), new Replica('b')];
    Object.assign(replicas, [a, b]);
    balancer = new Balancer([at(await a.start()), at(await b.start())]);
    port = await balancer.listen(at(0));
  });
  afterEach(async () => {
    await balancer.close();
    await Promise.allSettled(replicas.map((replica) => replica.kill()));
  });

  it('gives connections to the replicas in turn', async () => {
    const sockets = await Promise.all([connectTo(port), connectTo(port), connectTo(port), connectTo(port)]);
    expect((await Promise.all(sockets.map(ask))).sort()).toEqual(['a', 'a', 'b', 'b']);
    for (const socket of sockets) socket.destroy();
  });

  it('ends the connections of a replica that dies, and gives the next ones to the other', async () => {
    const sockets = await Promise.all([connectTo(port), connectTo(port)]);
    const names = await Promise.all(sockets.map(ask));
    const orphan = sockets[names.indexOf('a')];
    const ended = once(orphan as Socket, 'close');
    await replicas[0].kill();
    await ended;
    for (let again = 0; again < 4; again++) {
      const socket = await connectTo(port);
      expect(await ask(socket)).toBe('b');
      socket.destroy();
    }
    for (const socket of sockets) socket.destroy();
  });

  it('ends a connection when no replica accepts it', async () => {
    await Promise.all(replicas.map((replica) => replica.kill()));
    const socket = await connectTo(port);
    await once(socket, 'close');
  });

  it.each(['', '127.0.0.1', ':80', '127.0.0.1:x'])('has no address %p', (text) => {
    expect(() => addressOf(text)).toThrow('is not a host:port');
  });
});
