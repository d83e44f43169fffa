import { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { type Barrier, type Branch, type BranchOp, type LocalStep, newGid, Refusal } from '../../src/index.js';
import { LocalTransaction, mysqlBarrier } from '../../src/mysql.js';
import { RedisTransaction, redisBarrier } from '../../src/redis.js';
import { throwAwayDatabase } from './database.js';
import { env } from './env.js';
import { type LossyProxy, startProxy } from './proxy.js';
import { throwAwayRedis } from './redis.js';
import type { Fate } from './schedule.js';

/** Units on a shelf at the beginning, and how many an action takes. */
export const [FULL, TAKEN] = [10, 3];

/** What is left on a shelf, and how often each op took effect. */
export interface Shelf {
  left: number;
  effects: Partial<Record<BranchOp, number>>;
}

/** Shelves in one kind of store, and a service that takes from them under a barrier and can be killed. */
export interface ShelfService {
  /** Fills a new shelf; its gid. */
  fill(): Promise<string>;
  /** Work of one op on the shelf of a gid. */
  work(gid: string, op: BranchOp, fate: Fate): () => Promise<void>;
  /** The local step of a message, on the shelf of a gid. */
  local(gid: string, fate: Fate): LocalStep<unknown>;
  look(gid: string): Promise<Shelf>;
  readonly barrier: Barrier;
  /** Between the service and its store. */
  readonly proxy: LossyProxy;
  close(): Promise<void>;
}

/** Units that an op takes from the shelf. */
function taken(op: BranchOp): number {
  if (op === 'action' || op === 'try' || op === 'msg') return TAKEN;
  return op === 'compensate' || op === 'cancel' ? -TAKEN : 0;
}

/** Two tables, of which one commit must change both or none. */
export async function mysqlShelves(groupSize: number): Promise<ShelfService> {
  const { dataSource: direct, name, drop } = await throwAwayDatabase(2);
  await direct.query('CREATE TABLE effect (gid varchar(128) NOT NULL, op varchar(45) NOT NULL) ENGINE=InnoDB');
  const { host, username, password } = new URL(env.mysqlUrl);
  const proxy = await startProxy(host);
  const url = `mysql://${username}:${password}@${proxy.address}/${name}`;
  const dataSource = await new DataSource({ type: 'mysql', url, poolSize: 8 }).initialize();
  const barrier = mysqlBarrier(dataSource, { groupSize });
  const tx = new LocalTransaction();
  const work = (gid: string, op: BranchOp, fate: Fate) => async (): Promise<void> => {
    await tx.execute('UPDATE account SET balance = balance - ? WHERE name = ?', [taken(op), gid]);
    if (fate === 'refuses') throw new Refusal('not today');
    await tx.execute('INSERT INTO effect (gid, op) VALUES (?, ?)', [gid, op]);
    if (fate === 'fails') throw new Error('failed after its work');
  };
  return {
    barrier,
    proxy,
    work,
    local: (gid, fate) => barrier.local(work(gid, 'msg', fate)),
    fill: async () => {
      const gid = newGid();
      await direct.query('INSERT INTO account (name, balance) VALUES (?, ?)', [gid, FULL]);
      return gid;
    },
    look: async (gid) => {
      const [{ balance }] = await direct.query('SELECT balance FROM account WHERE name = ?', [gid]);
      const rows: { op: BranchOp; count: string }[] = await direct.query(
        'SELECT op, COUNT(*) AS count FROM effect WHERE gid = ? GROUP BY op',
        [gid],
      );
      return { left: balance, effects: Object.fromEntries(rows.map(({ op, count }) => [op, Number(count)])) };
    },
    close: async () => {
      await dataSource.destroy();
      await proxy.close();
      await drop();
    },
  };
}

const TAKE = `if ARGV[2] == 'refuses' then return refuse('not today') end
redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('HINCRBY', KEYS[2], op, 1)`;

/** A counter and a hash, of which one script must change both or none. */
export async function redisShelves(): Promise<ShelfService> {
  const direct = await throwAwayRedis();
  const proxy = await startProxy(new URL(env.redisUrl).host);
  const redis = new Redis(`redis://${proxy.address}`, { retryStrategy: () => 5 });
  redis.on('error', () => undefined);
  const barrier = redisBarrier(redis);
  const tx = new RedisTransaction();
  const script = (gid: string, op: BranchOp, fate: Fate) => ({
    keys: [gid, `${gid}:effects`],
    args: [taken(op), fate],
    script: TAKE,
  });
  return {
    barrier,
    proxy,
    work: (gid, op, fate) => async () => {
      await tx.run(script(gid, op, fate));
      if (fate === 'fails') throw new Error('failed after its work');
    },
    local: (gid, fate) => barrier.local(script(gid, 'msg', fate)),
    fill: async () => {
      const gid = `{${direct.tag}}-${newGid()}`;
      await direct.redis.set(gid, FULL);
      return gid;
    },
    look: async (gid) => {
      const effects = await direct.redis.hgetall(`${gid}:effects`);
      return {
        left: Number(await direct.redis.get(gid)),
        effects: Object.fromEntries(Object.entries(effects).map(([op, count]) => [op, Number(count)])),
      };
    },
    close: async () => {
      redis.disconnect();
      await proxy.close();
      await direct.close();
    },
  };
}

/** What the caller of a branch learned; `nothing` when no answer came, or one that says "call again". */
export type Heard = 'took effect' | 'was done before' | 'nothing to undo' | 'refused' | 'nothing';

/** Calls a branch as DTM does, once. */
export async function call(service: ShelfService, branch: Branch, fate: Fate): Promise<Heard> {
  const work = service.work(branch.gid, branch.op, fate);
  try {
    const refuses = (error: unknown): boolean => error instanceof Refusal;
    const outcome = await service.barrier.call({ branch, work, cancelled: () => false, refuses });
    if (fate === 'unheard') return 'nothing';
    if (outcome.ran) return 'took effect';
    if (outcome.why === 'undone') return 'refused';
    return outcome.why === 'repeat' ? 'was done before' : 'nothing to undo';
  } catch (error) {
    return error instanceof Refusal ? 'refused' : 'nothing';
  }
}
