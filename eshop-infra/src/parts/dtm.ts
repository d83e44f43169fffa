import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { withLazyTimers } from '../base/scheduling.ts';
import type { Context } from '../context.ts';
import { dtmBinary, dtmInstaller } from '../install/dtm.ts';
import { goBinary } from '../install/go.ts';
import { databaseUser } from './database-users.ts';
import type { Part } from './part.ts';

/** The gids of the transactions that the check saves begin with this. */
export const CHECK_GID = 'eshop-check-';

interface QueryReply {
  transaction: { status: string } | null;
}

async function api<T>(port: number, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}/api/dtmsvr/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(3_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`DTM answers ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

/** A saga without steps is saved and found again: neither /api/ping nor /version looks at the store. */
async function savesTransactions(port: number): Promise<void> {
  const gid = `${CHECK_GID}${randomUUID()}`;
  await api(port, 'submit', { gid, trans_type: 'saga', steps: [], payloads: [] });
  const { transaction } = await api<QueryReply>(port, `query?gid=${gid}`);
  if (!transaction) throw new Error('DTM says that it has saved a transaction, and does not know it afterwards');
}

interface Store {
  name: 'dtm-mysql' | 'dtm-redis';
  needs: string;
  http: 'dtmMysqlHttp' | 'dtmRedisHttp';
  grpc: 'dtmMysqlGrpc' | 'dtmRedisGrpc';
  env(context: Context): Record<string, string>;
}

function dtmPart(store: Store): Part {
  return {
    name: store.name,
    title: `DTM 1.18.0 on ${store.needs}`,
    needs: [store.needs],
    ports: [store.http, store.grpc],
    readyMs: 30_000,
    graceMs: 10_000,
    async missingPackages(context) {
      return existsSync(dtmBinary(context)) || goBinary() ? [] : [{ name: 'golang-go' }];
    },
    installer: dtmInstaller,
    command(context) {
      return {
        // Go's runtime looks after its threads in one that sleeps 20 µs at a time whenever the process wakes up; where all processors
        // are busy this costs DTM a sixth of its time.
        ...withLazyTimers(dtmBinary(context)),
        env: {
          ...store.env(context),
          HTTP_PORT: String(context.ports[store.http]),
          GRPC_PORT: String(context.ports[store.grpc]),
          // a branch's new status is saved before the next step: otherwise a kill repeats branches or loses compensations
          UPDATE_BRANCH_SYNC: '1',
          TRANS_CRON_INTERVAL: '1',
          // DTM logs its whole configuration at `info`, the password included
          LOG_LEVEL: 'warn',
          TZ: 'UTC',
          // Go collects garbage when the heap has grown by so many percent. DTM's live heap is 8 MB, so that the default of 100
          // meant a collection every 40 sagas; this costs it 26 MB.
          GOGC: '400',
          // Threads that look for work which is not there cost DTM an eighth of its time where all processors are busy; its store needs
          // as many as DTM itself.
          GOMAXPROCS: String(Math.max(1, Math.floor(availableParallelism() / 2))),
        },
      };
    },
    check: (context) => savesTransactions(context.ports[store.http]),
    async probe(context) {
      await api(context.ports[store.http], 'all?limit=1');
    },
  };
}

export const dtmMysqlPart = dtmPart({
  name: 'dtm-mysql',
  needs: 'mysql',
  http: 'dtmMysqlHttp',
  grpc: 'dtmMysqlGrpc',
  env(context) {
    const { user, password, database } = databaseUser(context, 'dtm');
    return {
      STORE_DRIVER: 'mysql',
      STORE_HOST: '127.0.0.1',
      STORE_PORT: String(context.ports.mysql),
      STORE_USER: user,
      STORE_PASSWORD: password,
      STORE_DB: database,
      STORE_MAX_OPEN_CONNS: '32',
      STORE_MAX_IDLE_CONNS: '32',
    };
  },
});

export const dtmRedisPart = dtmPart({
  name: 'dtm-redis',
  needs: 'redis',
  http: 'dtmRedisHttp',
  grpc: 'dtmRedisGrpc',
  env(context) {
    return { STORE_DRIVER: 'redis', STORE_HOST: '127.0.0.1', STORE_PORT: String(context.ports.redis) };
  },
});
