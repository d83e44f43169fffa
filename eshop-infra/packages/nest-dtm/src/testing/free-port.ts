import { createServer } from 'node:net';

/** Below what systems take for outgoing connections (Linux from 32768 on): so none of those can get the port before it is used. */
const [FIRST, LAST] = [10_000, 32_767];
const TRIES = 100;

/**
 * A TCP port nobody listens on, for a service whose branches DTM is told before it listens.
 * @throws Error when none is found
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${FIRST} and ${LAST}`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
