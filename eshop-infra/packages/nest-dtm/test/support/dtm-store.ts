import { throwAwayDatabase } from './database.js';
import { env } from './env.js';
import { type OutageProxy, outageProxy } from './outage-proxy.js';
import { DTM_TABLES, mysqlStore, ownDtm } from './own-dtm.js';
import { ownRedis } from './own-redis.js';
import { until } from './until.js';

/** A store of a DTM of one spec, which can be away. */
export interface DtmStore {
  /** DTM's settings of it, through the proxy. */
  settings: Record<string, string>;
  proxy: OutageProxy;
  remove(): Promise<void>;
}

/**
 * Brings a store back; resolves when its DTM has noticed, on all connections: its Redis client refuses for up to a second more what
 * needs a new one.
 */
export async function bringBack({ proxy }: DtmStore, http: string): Promise<void> {
  await proxy.back();
  const query = async (): Promise<boolean> => (await fetch(`${http}/api/dtmsvr/query?gid=none&as=/query`)).ok;
  await until('DTM has its store again', async () =>
    (await Promise.all(Array.from({ length: 32 }, query))).every(Boolean),
  );
}

/** A DTM of one spec on such a store. Resolves when the store may leave: a DTM on MySQL that starts without it exits. */
export async function startDtm(store: DtmStore): ReturnType<typeof ownDtm> {
  const dtm = await ownDtm(store.settings);
  await bringBack(store, dtm.http);
  return dtm;
}

/** A database of its own in the tests' MySQL. */
async function onMysql(): Promise<DtmStore> {
  const { dataSource, name, drop } = await throwAwayDatabase(1);
  for (const table of DTM_TABLES) await dataSource.query(table);
  const { hostname, port } = new URL(env.mysqlUrl);
  const proxy = await outageProxy(`${hostname}:${port || 3306}`);
  return {
    settings: {
      ...mysqlStore(name),
      STORE_HOST: '127.0.0.1',
      STORE_PORT: `${proxy.port}`,
      STORE_MAX_OPEN_CONNS: '32',
      STORE_MAX_IDLE_CONNS: '32',
    },
    proxy,
    remove: async () => {
      await proxy.close();
      await drop();
    },
  };
}

/** A Redis of its own. */
async function onRedis(): Promise<DtmStore> {
  const { port, server } = await ownRedis();
  const proxy = await outageProxy(`127.0.0.1:${port}`);
  return {
    settings: { STORE_DRIVER: 'redis', STORE_HOST: '127.0.0.1', STORE_PORT: `${proxy.port}` },
    proxy,
    remove: async () => {
      await proxy.close();
      await server.remove();
    },
  };
}

/** Each kind of store. */
export const dtmStores = [
  { store: 'MySQL', makeStore: onMysql },
  { store: 'Redis', makeStore: onRedis },
] as const satisfies { store: string; makeStore(): Promise<DtmStore> }[];
