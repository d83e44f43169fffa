import { Injectable } from '@nestjs/common';
import { type Branch, DtmWorkflow, Refusal, type Transaction, type Workflow } from '../src/index.js';
import { mysqlBarrier } from '../src/mysql.js';
import {
  DtmCrossSlot,
  DtmNoScript,
  type RedisBarrier,
  type RedisScript,
  RedisTransaction,
  redisBarrier,
} from '../src/redis.js';
import { throwAwayDatabase } from './support/database.js';
import { stores } from './support/env.js';
import { take } from './support/kiosk.js';
import { type PlannerApp, startPlanner } from './support/plan.js';
import { throwAwayRedis } from './support/redis.js';
import { until } from './support/until.js';

/** Gives back, and notes what it was told that the step had returned. */
function giveBack(key: string, rest: number): RedisScript {
  const script = `redis.call('HINCRBY', KEYS[2], op, 1)
redis.call('HSET', KEYS[2], 'told', ARGV[2])
return redis.call('INCRBY', KEYS[1], ARGV[1])`;
  return { keys: [key, `${key}:hits`], args: [3, rest], script };
}

/** What happens behind the script of a key: once each. */
@Injectable()
class Mishaps {
  readonly errors = new Map<string, Error>();

  behind(key: string): void {
    const error = this.errors.get(key);
    this.errors.delete(key);
    if (error) throw error;
  }
}

@DtmWorkflow('on-redis', { barrier: 'redis' })
class OnRedis {
  constructor(
    private readonly tx: RedisTransaction,
    private readonly mishaps: Mishaps,
  ) {}

  async run(workflow: Workflow, { keys, why }: { keys: string[]; why?: string }): Promise<number[]> {
    const rests: number[] = [];
    for (const key of keys) {
      const { rest } = await workflow.local(
        `take from ${key}`,
        async () => {
          if (!key) return { rest: 0 };
          const left = await this.tx.run<number>(take({ key, amount: 3 }));
          this.mishaps.behind(key);
          return { rest: left };
        },
        async (taken) => {
          await this.tx.run(giveBack(key, taken.rest));
        },
      );
      rests.push(rest);
    }
    if (why) throw new Refusal(why);
    return rests;
  }
}

let redis: Awaited<ReturnType<typeof throwAwayRedis>>;
let barrier: RedisBarrier;

beforeAll(async () => {
  redis = await throwAwayRedis();
  barrier = redisBarrier(redis.redis);
});
afterAll(() => redis?.close());

const taken = { left: 7, hits: { action: '1' } };
const takenBack = { left: 10, hits: { action: '1', rollback: '1', told: '7' } };

describe.each(stores)('a workflow with local steps in Redis, DTM on $store', ({ grpc, http }) => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let planner: PlannerApp;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    planner = await startPlanner(
      database.dataSource,
      {
        servers: { default: { grpc, http } },
        barrier: { default: mysqlBarrier(database.dataSource), redis: barrier },
      },
      { providers: [OnRedis, Mishaps] },
    );
  });
  afterAll(async () => {
    await planner?.close();
    await database?.drop();
  });

  const ended = (gid: string, status: Transaction['status']): Promise<Transaction> =>
    until(`${gid} ${status}`, async () => {
      const transaction = await planner.dtm.query(gid);
      return transaction?.status === status && transaction;
    });

  test('each takes effect once, and its value is there, also for a repeat', async () => {
    const [gid, keys] = [redis.newGid(), [await redis.counter(), await redis.counter(20)]];
    const first = await planner.dtm.workflow(gid, OnRedis, { keys });
    expect(first).toEqual({ gid, status: 'succeed', value: [7, 17], repeat: false });
    expect(await planner.dtm.workflow(gid, OnRedis, { keys })).toEqual({ ...first, repeat: true });
    expect(await Promise.all(keys.map(redis.state))).toEqual([taken, { ...taken, left: 17 }]);
  });

  test('a script that refuses: those before it are taken back with what they returned, it itself is not', async () => {
    const [gid, good, poor] = [redis.newGid(), await redis.counter(), await redis.counter(1)];
    const input = { keys: [good, poor] };
    await expect(planner.dtm.workflow(gid, OnRedis, input)).rejects.toEqual(new Refusal('only 1 left'));
    await ended(gid, 'failed');
    expect([await redis.state(good), await redis.state(poor)]).toEqual([takenBack, { left: 1, hits: {} }]);
  });

  test('a step without a script: all is taken back', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const input = { keys: [key, ''] };
    await expect(planner.dtm.workflow(gid, OnRedis, input)).rejects.toBeInstanceOf(DtmNoScript);
    await ended(gid, 'failed');
    expect(await redis.state(key)).toEqual(takenBack);
  });

  test('keys of another hash slot: all is taken back, and the error says which keys', async () => {
    const [gid, key, other] = [redis.newGid(), await redis.counter(), `elsewhere-${redis.tag}`];
    const error: unknown = await planner.dtm.workflow(gid, OnRedis, { keys: [key, other] }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DtmCrossSlot);
    expect((error as DtmCrossSlot).keys).toContain(other);
    expect((await ended(gid, 'failed')).rollbackReason).toContain('DTM_CROSS_SLOT');
    expect(await redis.state(key)).toEqual(takenBack);
  });

  test('a workflow that refuses: all is taken back', async () => {
    const [gid, keys] = [redis.newGid(), [await redis.counter(), await redis.counter()]];
    await expect(planner.dtm.workflow(gid, OnRedis, { keys, why: 'no' })).rejects.toEqual(new Refusal('no'));
    await ended(gid, 'failed');
    expect(await Promise.all(keys.map(redis.state))).toEqual([takenBack, takenBack]);
  });

  test.each([
    ['an error', new Error('lost')],
    ['a refusal', new Refusal('too late to refuse')],
  ])(
    '%s behind the script, before DTM heard of the step: goes on with what the script had returned',
    async (_, error) => {
      const [gid, key] = [redis.newGid(), await redis.counter()];
      planner.app.get(Mishaps).errors.set(key, error);
      const first = await planner.dtm.workflow(gid, OnRedis, { keys: [key] }, { retryInterval: 1 });
      expect(first).toMatchObject({ status: 'submitted', reason: expect.stringContaining('behind its script') });
      await ended(gid, 'succeed');
      expect(await planner.dtm.workflow(gid, OnRedis, { keys: [key] })).toMatchObject({ value: [7], repeat: true });
      expect(await redis.state(key)).toEqual(taken);
    },
  );
});

describe('a local step under the Redis barrier', () => {
  const tx = new RedisTransaction();
  const stepOf = (gid: string): Branch => ({ transType: 'workflow', gid, branchId: '01', op: 'action' });
  const backOf = (gid: string): Branch => ({ ...stepOf(gid), op: 'rollback' });
  const running = (script: RedisScript) => async () => JSON.stringify((await tx.run(script)) ?? null);

  test('20 at once: one effect, one result for all', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const step = () => barrier.step(stepOf(gid), running(take({ key, amount: 3 })));
    const outcomes = await Promise.all(Array.from({ length: 20 }, step));
    expect(outcomes).toEqual(outcomes.map(() => ({ done: true, result: '7' })));
    expect(await redis.state(key)).toEqual(taken);
  });

  test('taken back 20 times at once: once', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    await barrier.step(stepOf(gid), running(take({ key, amount: 3 })));
    const back = () =>
      barrier.stepBack(backOf(gid), async () => {
        await tx.run(giveBack(key, 7));
      });
    await Promise.all(Array.from({ length: 20 }, back));
    await back();
    expect(await redis.state(key)).toEqual(takenBack);
    // A run that comes to it now must not go on to the next step.
    expect(await barrier.step(stepOf(gid), running(take({ key, amount: 3 })))).toEqual({ done: false });
    expect(await redis.state(key)).toEqual(takenBack);
  });

  test('taken back before it came to it: nothing runs, then or afterwards', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const never = async (): Promise<never> => {
      throw new Error('there is nothing to take back');
    };
    await barrier.stepBack(backOf(gid), never);
    await barrier.stepBack(backOf(gid), never);
    expect(await barrier.step(stepOf(gid), running(take({ key, amount: 3 })))).toEqual({ done: false });
    expect(await redis.state(key)).toEqual({ left: 10, hits: {} });
  });

  test.each([
    ['nothing', '', 'null'],
    ['a number with all its digits', 'return 1234567890123456', '1234567890123456'],
    ['a fraction, of which Redis gives the whole part', 'return 7.9', '7'],
    ['a text', `return 'say "ü"\\n'`, JSON.stringify('say "ü"\n')],
    ['a list in a list', `return {1, {'two', 3}, {}}`, '[1,["two",3],[]]'],
    ['false', 'return false', 'null'],
    ['a status', `return redis.call('SET', KEYS[1], 1)`, '"OK"'],
  ])('what the script returned comes back the same: %s', async (_, script, result) => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const counted = `redis.call('HINCRBY', KEYS[2], op, 1)\n${script}`;
    for (let repeat = 0; repeat < 2; repeat++) {
      const outcome = await barrier.step(stepOf(gid), running({ keys: [key, `${key}:hits`], script: counted }));
      expect(outcome).toEqual({ done: true, result });
    }
    expect((await redis.state(key)).hits).toEqual({ action: '1' });
  });

  test('without a script, or with a hash tag of its own: an error', async () => {
    const nothing = barrier.step(stepOf(redis.newGid()), async () => '');
    await expect(nothing).rejects.toBeInstanceOf(DtmNoScript);
    await expect(nothing).rejects.toMatchObject({ name: 'DtmNoScript', code: 'DTM_NO_SCRIPT' });
    const tagged = { ...take({ key: await redis.counter(), amount: 3 }), hashTag: redis.tag };
    await expect(barrier.step(stepOf(redis.newGid()), running(tagged))).rejects.toMatchObject({ field: 'hashTag' });
  });
});
