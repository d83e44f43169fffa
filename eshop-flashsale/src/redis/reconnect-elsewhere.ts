import { refusedWrite } from '@eshop/nest-dtm/redis';

/**
 * Refusals of a server that is not, or no longer, the one to write to: a replica, also one that loads its master's data or has lost it, and a
 * master that has lost its replicas. Its name may stand for another server by now. A server without memory or disk is still the one.
 */
const ELSEWHERE: readonly string[] = ['READONLY', 'MASTERDOWN', 'LOADING', 'NOREPLICAS', 'CLUSTERDOWN', 'NOAUTH'];

/** Reads of a server that stays what it is are cut off no more often, milliseconds. */
const EVERY_MS = 1_000;

/**
 * ioredis's `reconnectOnError`: whether an error ends the connection, so that the name is looked up again. The call that failed is not
 * repeated: its caller has been told that nothing was done.
 */
export function reconnectElsewhere(): (error: Error) => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (!ELSEWHERE.includes(refusedWrite(error) ?? '') || performance.now() - last < EVERY_MS) return false;
    last = performance.now();
    return true;
  };
}
