import type { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { possibleParts, shopParts, stackParts } from './all.ts';
import { partsThatRun, startParts, stopParts } from './start-parts.ts';

/**
 * Starts the services, each as often as the instance has replicas; ends those that an earlier start had besides.
 * @throws Error on the docker stack when there are to be several
 */
export async function startShop(context: Context, progress: Progress): Promise<void> {
  if (context.replicas > 1 && context.stack.name !== 'native') {
    throw new Error('ESHOP_REPLICAS needs the native stack; compose.yaml has one container for each service');
  }
  const wanted = shopParts(context);
  await startParts(context, wanted, progress);
  const names = new Set([...stackParts, ...wanted].map(({ name }) => name));
  const others = possibleParts(context).filter(({ name }) => !names.has(name));
  await stopParts(context, await partsThatRun(context, others), progress);
}
