/**
 * What a Redis server answers that takes no command now, or no write (`server.c`, `script.c` and `cluster.c` of Redis 7), as the code
 * of its error: it has carried out nothing then. Neither has a script that writes only behind its reads: Redis looks at each of these
 * conditions at a script's first write at the latest.
 */
const REFUSALS = 'READONLY|MASTERDOWN|NOREPLICAS|MISCONF|OOM|LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|NOAUTH';

/** Before Redis 7 an error inside a script is told in words: `ERR Error running script (call to f_…): @user_script:1: … -OOM command …`. */
const REFUSED = new RegExp(`^(?:ERR Error running script .*-)?(${REFUSALS})\\b`, 's');

/** ioredis has no connection, and `enableOfflineQueue` is false: the command was not sent. */
const NOT_SENT = "Stream isn't writeable and enableOfflineQueue options is false";

/**
 * Why a command or script of ioredis certainly did nothing, and may do something another time: the code of Redis's error (`READONLY`,
 * `OOM`, …), or `NOT_SENT`. `undefined` for any other error, after which that is not known, or no repeat helps.
 */
export function refusedWrite(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message === NOT_SENT) return 'NOT_SENT';
  return error.name === 'ReplyError' ? REFUSED.exec(error.message)?.[1] : undefined;
}
