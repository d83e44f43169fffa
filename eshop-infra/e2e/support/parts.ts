import { Progress } from '../../src/base/progress.ts';
import { createContext } from '../../src/context.ts';
import { partsNamed } from '../../src/parts/all.ts';
import { startParts, stopParts } from '../../src/parts/start-parts.ts';

const silent = () => new Progress({ isTTY: false, write: () => true });

/** The system under test, as the `eshop` command knows it. */
export function instance() {
  const name = process.env.ESHOP_INSTANCE;
  if (!name) throw new Error('ESHOP_INSTANCE is not set; run the system tests by "eshop test e2e"');
  return createContext({ instance: name });
}

/** Ends a part of the system at once, as a crash does. */
export async function kill(part: string): Promise<void> {
  const context = instance();
  await stopParts(context, partsNamed(context, [part]), silent(), 'SIGKILL');
}

/** Starts a part again and waits until it is ready. */
export async function start(part: string): Promise<void> {
  const context = instance();
  await startParts(context, partsNamed(context, [part]), silent());
}
