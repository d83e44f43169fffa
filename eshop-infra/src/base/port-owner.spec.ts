import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { forgetInterrupt, Interrupted, listenForInterrupts } from './interrupt.ts';
import { assertPortFree, parseSockets, portOwner } from './port-owner.ts';

async function listen(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** A connection to a server, with the port that the kernel chose for this end of it. */
async function connected(target: number): Promise<{ port: number; socket: Socket }> {
  const socket = connect(target, '127.0.0.1');
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  return { port: (socket.address() as AddressInfo).port, socket };
}

/** Waits for a port until that is told of. */
async function waitingFor(port: number): Promise<{ waiting: Promise<void>; note: string }> {
  const told = Promise.withResolvers<string>();
  const waiting = assertPortFree(port, 'dtm-mysql', 'ESHOP_PORT_DTM_MYSQL_HTTP', told.resolve);
  return { waiting, note: await told.promise };
}

describe('the owner of a port', () => {
  it('is found with its process id and program', async () => {
    const script = 'require("net").createServer().listen(0,"127.0.0.1",function(){console.log(this.address().port)})';
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const port = Number(line.toString());
      expect(portOwner(port)).toMatchObject({ port, pid: child.pid, kind: 'listener' });
      await expect(assertPortFree(port, 'mysql', 'ESHOP_PORT_MYSQL')).rejects.toThrow(
        new RegExp(
          `port ${port}, which mysql needs, is taken by process ${child.pid} .*createServer.*ESHOP_PORT_MYSQL`,
        ),
      );
    } finally {
      child.kill();
    }
  });

  it('is nobody when the port is free', async () => {
    const { port, close } = await listen();
    await close();
    expect(portOwner(port)).toBeUndefined();
    await assertPortFree(port, 'mysql', 'ESHOP_PORT_MYSQL');
  });

  it('that is but an outgoing connection is waited for', async () => {
    const { port: target, close } = await listen();
    const { socket, port } = await connected(target);
    const { waiting, note } = await waitingFor(port);
    expect(note).toContain(`port ${port}, which an outgoing connection has got`);
    socket.resetAndDestroy();
    await close();
    await waiting;
  });

  it('is waited for no longer after Ctrl-C', async () => {
    const { port: target, close } = await listen();
    const { socket, port } = await connected(target);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const others = signals.map((signal) => new Set(process.listeners(signal)));
    listenForInterrupts();
    try {
      const { waiting } = await waitingFor(port);
      process.emit('SIGINT');
      await expect(waiting).rejects.toThrow(Interrupted);
    } finally {
      forgetInterrupt();
      for (const [index, signal] of signals.entries())
        for (const listener of process.listeners(signal))
          if (!others[index]?.has(listener)) process.off(signal, listener);
      socket.resetAndDestroy();
      await close();
    }
  });

  it('is an outgoing connection also for the minute after it has ended', async () => {
    const { port: target, close } = await listen();
    const { socket, port } = await connected(target);
    socket.end();
    await once(socket, 'close');
    await close();
    expect(portOwner(port)).toEqual({ port, kind: 'connection' });
  });

  it('is read from the tables of the kernel', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0',
    ].join('\n');
    expect(parseSockets(table)).toEqual([{ port: 3306, state: '0A', inode: '4711' }]);
  });
});
