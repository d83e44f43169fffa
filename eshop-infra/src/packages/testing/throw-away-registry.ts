import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Progress } from '../../base/progress.ts';
import { type Context, makeDirectories } from '../../context.ts';
import { createContext } from '../../create-context.ts';
import { registryPart } from '../../parts/registry.ts';
import { startParts, stopParts } from '../../parts/start-parts.ts';

export interface ThrowAwayRegistry {
  /** A directory for the spec's own files. */
  directory: string;
  context: Context;
  stop(): Promise<void>;
}

/** Below the ports that systems take for outgoing connections, so that none of those can get it first. */
async function freePort(tries = 100): Promise<number> {
  const port = 10_000 + Math.floor(Math.random() * 22_768);
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (tries <= 1) throw error;
    return freePort(tries - 1);
  }
  server.close();
  await once(server, 'close');
  return port;
}

/** A Verdaccio that knows no package of ours, for one spec. */
export async function throwAwayRegistry(name: string): Promise<ThrowAwayRegistry> {
  const directory = mkdtempSync(join(tmpdir(), `eshop-${name}-`));
  const env = { ...process.env, ESHOP_STATE: directory, ESHOP_PORT_REGISTRY: String(await freePort()) };
  const context = createContext({ instance: name, env });
  const silent = new Progress({ write: () => true });
  makeDirectories(context);
  await startParts(context, [registryPart], silent);
  return {
    directory,
    context,
    async stop() {
      await stopParts(context, [registryPart], silent);
      rmSync(directory, { recursive: true });
      rmSync(context.paths.sockets, { recursive: true, force: true });
    },
  };
}
