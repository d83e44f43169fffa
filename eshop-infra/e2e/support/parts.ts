import { Progress } from '../../src/base/progress.ts';
import type { Context } from '../../src/context.ts';
import { createContext } from '../../src/create-context.ts';
import { partsNamed } from '../../src/parts/all.ts';
import { startParts, stopParts } from '../../src/parts/start-parts.ts';
import { startShop } from '../../src/parts/start-shop.ts';

const silent = () => new Progress({ isTTY: false, write: () => true });

/** The system under test, as the `eshop` command knows it; `env`: what is otherwise in its settings. */
export function instance(env: NodeJS.ProcessEnv = {}) {
  const name = process.env.ESHOP_INSTANCE;
  if (!name) throw new Error('ESHOP_INSTANCE is not set; run the system tests by "eshop test e2e"');
  return createContext({ instance: name, env: { ...process.env, ...env } });
}

/** Starts the services, each as often as the context has replicas, and ends all others. */
export async function startShopOf(context: Context): Promise<void> {
  await startShop(context, silent());
}

/** Ends a part of the system at once, as a crash does. */
export async function kill(part: string, context = instance()): Promise<void> {
  await stopParts(context, partsNamed(context, [part]), silent(), 'SIGKILL');
}

/** Starts a part again and waits until it is ready. */
export async function start(part: string, context = instance()): Promise<void> {
  await startParts(context, partsNamed(context, [part]), silent());
}

/** Stops a part in the middle of whatever it does; it keeps its connections and answers nothing. */
export async function freeze(part: string): Promise<void> {
  const context = instance();
  await stopParts(context, partsNamed(context, [part]), silent(), 'SIGSTOP');
}

/** Lets a frozen part go on. */
export async function thaw(part: string): Promise<void> {
  const context = instance();
  await stopParts(context, partsNamed(context, [part]), silent(), 'SIGCONT');
}
