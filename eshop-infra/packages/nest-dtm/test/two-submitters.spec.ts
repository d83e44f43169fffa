import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import {
  DtmAborted,
  DtmBranchFailed,
  DtmError,
  DtmOutcomeUnknown,
  DtmUnavailable,
  newGid,
  Refusal,
  type Transaction,
} from '../src/index.js';
import { Acts, backCheckOf, branchesOf, type ChainApp, FULL, startChain, TAKEN } from './support/chain.js';
import { throwAwayDatabase } from './support/database.js';
import { bringBack, type DtmStore, dtmStores, startDtm } from './support/dtm-store.js';
import { env } from './support/env.js';
import { throwAwayRedis } from './support/redis.js';
import { type Chain, chainRounds, type Disturbance, type Submitter } from './support/two-submitters.js';
import { until } from './support/until.js';

// The races in a schedule fall out anew each time; its seed only brings the schedule back.
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31));
/** Transactions on each store. */
const runs = Number(process.env.TEST_RUNS ?? 60);
/** So many of them run at the same time: more when there are many, which takes less time in all. */
const together = Math.min(runs, runs > 1_000 ? 50 : 20);
const LONGEST_MS = Math.max(60_000, runs * 500);

const binary = existsSync(env.dtmBinary);
const suite = binary ? describe.each : describe.skip.each;
const why = binary ? '' : ', skipped: TEST_DTM_BINARY names no DTM executable';

/** What an account must show at the end. */
interface Expected {
  left: number;
  /** How often it was changed; `undefined`: whatever was done has been undone. */
  hits: number | undefined;
}

/** A transaction under way. */
interface Played {
  chain: Chain;
  gid: string;
  accounts: string[];
  answers: unknown[];
  trace: string[];
  began: number;
  end?: Transaction;
}

const DOING: ReadonlySet<string> = new Set(['action', 'try', 'msg']);

suite([
  { ...dtmStores[0], groupSize: 1 },
  { ...dtmStores[1], groupSize: 16 },
])(
  `two submitters of one gid, DTM on $store (TEST_SEED=${seed} TEST_RUNS=${runs}${why})`,
  ({ makeStore, groupSize }) => {
    const acts = new Acts();
    const played = new Map<string, Played>();
    const finals = new Map<string, Expected>();
    let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
    let redis: Awaited<ReturnType<typeof throwAwayRedis>>;
    let store: DtmStore;
    let dtm: Awaited<ReturnType<typeof startDtm>>;
    let apps: ChainApp[];
    let underWay = 0;
    let lastHeard = 0;

    beforeAll(async () => {
      [database, redis, store] = await Promise.all([throwAwayDatabase(24), throwAwayRedis(), makeStore()]);
      dtm = await startDtm(store);
      const { dataSource } = database;
      const options = { dtm, dataSource, redis: redis.redis, acts, mysql: { groupSize } };
      const first = await startChain(options);
      apps = [first, await startChain({ ...options, servedBy: first })];
      acts.listen((branch, end) => {
        underWay += end === undefined ? 1 : -1;
        lastHeard = performance.now();
        say(branch.gid, `${branch.branchId} ${branch.op}: ${end ?? 'called'}`);
      });
    });
    afterAll(async () => {
      for (const app of apps?.toReversed() ?? []) await app.close();
      await dtm?.server.remove();
      await store?.remove();
      await redis?.close();
      await database?.drop();
    });

    function say(gid: string, what: string): void {
      const one = played.get(gid);
      one?.trace.push(`${Math.round(performance.now() - one.began)} ms ${what}`);
    }

    function prepare(chain: Chain): Played {
      const gid = chain.barrier === 'redis' ? redis.newGid() : newGid();
      const accounts = Array.from({ length: chain.steps }, (_, step) => `${gid}:${step}`);
      const one: Played = { chain, gid, accounts, answers: [], trace: [], began: performance.now() };
      // A message cannot be refused, but its local step can.
      const refusable = chain.kind === 'two-phase message' ? 1 : chain.kind === 'message' ? 0 : chain.steps;
      for (const [step, account] of accounts.entries()) {
        let [slow, refusing] = [step === 0, step < refusable && step === (chain.refuses?.step ?? -1) % chain.steps];
        acts.on(account, async ({ op }) => {
          lastHeard = performance.now();
          if (!DOING.has(op)) return;
          if (slow) {
            slow = false;
            await delay(chain.slowMs);
          }
          if (!refusing) return;
          refusing = chain.refuses?.times === 'always';
          throw new Refusal('not today');
        });
      }
      played.set(gid, one);
      return one;
    }

    async function fill(all: Played[]): Promise<void> {
      const accounts = (barrier: string) => all.flatMap((one) => (one.chain.barrier === barrier ? one.accounts : []));
      const [sql, counters] = [accounts('mysql'), accounts('redis')];
      if (sql.length > 0)
        await database.dataSource.query(
          `INSERT INTO account (name, balance) VALUES ${sql.map(() => '(?, ?)').join(', ')}`,
          sql.flatMap((account) => [account, FULL]),
        );
      if (counters.length > 0) await redis.redis.mset(counters.flatMap((account) => [account, FULL]));
    }

    function submit({ chain, gid, accounts }: Played, app: ChainApp, options: Submitter): Promise<unknown> {
      const { kind, barrier, transport } = chain;
      const { fresh, waitResult } = options;
      const http = transport === 'http' ? (apps[0] as ChainApp).http : undefined;
      const { take, takeBack, confirm } = branchesOf(barrier, http);
      const retryInterval = 1;
      switch (kind) {
        case 'saga':
        case 'concurrent saga': {
          const orders = chain.ordered ? { [accounts.length - 1]: [0] } : {};
          const saga = app.dtm.saga(gid, {
            retryInterval,
            ...(kind !== 'saga' && { concurrent: true, orders }),
          });
          for (const account of accounts) saga.step(take, takeBack, { account });
          return saga.submit({ fresh, waitResult });
        }
        case 'message': {
          const message = app.dtm.message(gid, { retryInterval });
          for (const account of accounts) message.step(take, { account });
          return message.submit({ fresh, waitResult });
        }
        case 'two-phase message': {
          const message = app.dtm.message(gid, { retryInterval, timeoutToFail: 3 });
          for (const account of accounts.slice(1)) message.step(take, { account });
          const backCheck = backCheckOf(barrier, (apps[0] as ChainApp).http);
          return message.prepareAndSubmit(app.local(barrier, accounts[0] ?? ''), { backCheck, waitResult });
        }
        case 'tcc':
          return app.dtm.tcc(
            gid,
            async (tcc) => {
              for (const account of accounts) await tcc.branch(take, confirm, takeBack, { account });
            },
            { retryInterval, timeoutToFail: 4, waitResult },
          );
        case 'workflow':
          return app.dtm.workflow(gid, app.workflows[barrier], { accounts, barrier, http }, { retryInterval });
      }
    }

    async function answer(one: Played, app: ChainApp, options: Submitter): Promise<void> {
      const name = `submitter ${apps.indexOf(app)}`;
      say(one.gid, `${name} begins`);
      const told = await submit(one, app, options).catch((error: unknown) => error);
      one.answers.push(told);
      say(one.gid, `${name} is told ${told instanceof Error ? `${told.name} ${told.message}` : JSON.stringify(told)}`);
    }

    async function begin(one: Played): Promise<void> {
      await delay(one.chain.begins);
      one.began = performance.now();
      await Promise.all(
        one.chain.submitters.map(async (submitter, index) => {
          await delay(submitter.after);
          await answer(one, apps[index] as ChainApp, submitter);
        }),
      );
    }

    async function disturb(disturbance: Disturbance | undefined): Promise<void> {
      if (!disturbance) return;
      await delay(disturbance.at);
      switch (disturbance.what) {
        case 'frozen':
          dtm.server.freeze();
          await delay(disturbance.lasts);
          dtm.server.thaw();
          break;
        case 'killed':
          await dtm.server.kill();
          await delay(disturbance.lasts);
          await dtm.server.start();
          break;
        default:
          await store.proxy.leave(disturbance.how);
          await delay(disturbance.lasts);
          await bringBack(store, dtm.http);
      }
    }

    /** Submits as whoever wants to know does, until it has ended. */
    async function finish(one: Played): Promise<void> {
      const [app] = apps as [ChainApp];
      one.end = await until(
        `${one.gid} has ended:\n${one.trace.join('\n')}`,
        async () => {
          const stored = await app.dtm.query(one.gid).catch(() => undefined);
          if (stored?.status === 'succeed' || stored?.status === 'failed') return stored;
          if (stored === null) await answer(one, app, { after: 0, fresh: false, waitResult: false });
          return null;
        },
        60_000,
      );
      say(one.gid, one.end.status);
    }

    /** Nobody works on anything any more. */
    function quiet(): Promise<unknown> {
      return until('all is quiet', () => underWay === 0 && performance.now() - lastHeard > 200, 60_000);
    }

    function expected({ chain, end }: Played, step: number): Expected {
      if (end?.status !== 'succeed') return { left: FULL, hits: undefined };
      const confirmed = chain.kind === 'tcc' || (chain.kind === 'workflow' && step % 3 === 2);
      return { left: FULL - TAKEN, hits: confirmed ? 2 : 1 };
    }

    /** Accounts that do not show what they must. */
    async function wrong(accounts: Map<string, Expected>): Promise<string[]> {
      const seen = new Map<string, { left: number; hits: number }>();
      const sql = [...accounts.keys()].filter((account) => !account.startsWith('{'));
      for (let start = 0; start < sql.length; start += 1_000) {
        const rows: { name: string; balance: number; hits: number }[] = await database.dataSource.query(
          'SELECT name, balance, hits FROM account WHERE name IN (?)',
          [sql.slice(start, start + 1_000)],
        );
        for (const { name, balance, hits } of rows) seen.set(name, { left: balance, hits });
      }
      await Promise.all(
        [...accounts.keys()]
          .filter((account) => account.startsWith('{'))
          .map(async (account) => {
            const { left, hits } = await redis.state(account);
            seen.set(account, { left, hits: Object.values(hits).reduce((sum, times) => sum + Number(times), 0) });
          }),
      );
      return [...accounts].flatMap(([account, { left, hits }]) => {
        const is = seen.get(account);
        const right = is?.left === left && (hits === undefined || is.hits === hits);
        return right
          ? []
          : `${account} has ${is?.left} left after ${is?.hits} changes, not ${left} after ${hits ?? 'any'}`;
      });
    }

    /** What an answer has that the end contradicts. */
    function untrue({ end, chain }: Played, told: unknown): boolean {
      if (told instanceof DtmUnavailable || told instanceof DtmOutcomeUnknown) return false;
      const failed = end?.status === 'failed';
      if (told instanceof Refusal || told instanceof DtmAborted) return !failed;
      // Of a TCC's branch: all is cancelled.
      if (told instanceof DtmBranchFailed) return !(failed && chain.kind === 'tcc');
      // The local step's own error, of the database: nothing is done.
      if (told instanceof Error && !(told instanceof DtmError)) return !(failed && chain.kind === 'two-phase message');
      if (told instanceof Error) return true;
      const { status } = told as { status: string };
      if (status === 'submitted') return failed && chain.kind !== 'workflow' && !chain.kind.endsWith('saga');
      return status === 'succeed' ? failed : !failed;
    }

    async function violations(all: Played[]): Promise<string[]> {
      const accounts = new Map<string, Expected>();
      for (const one of all) {
        for (const [step, account] of one.accounts.entries()) accounts.set(account, expected(one, step));
      }
      const bad = await wrong(accounts);
      for (const [account, is] of accounts) finals.set(account, is);
      return all.flatMap((one) => {
        const said = one.answers.filter((told) => untrue(one, told)).map((told) => `untrue: ${String(told)}`);
        const found = [...said, ...bad.filter((words) => words.startsWith(one.gid))];
        return found.length === 0 ? [] : [one.gid, JSON.stringify(one.chain), ...found, ...one.trace].join('\n  ');
      });
    }

    test(
      'all or nothing, once, and nobody is told what is not so',
      async () => {
        const numRuns = Math.ceil(runs / together);
        await fc.assert(
          fc.asyncProperty(chainRounds(together), async ({ chains, disturbance }) => {
            const all = chains.map(prepare);
            await fill(all);
            await Promise.all([disturb(disturbance), ...all.map(begin)]);
            await Promise.all(all.map(finish));
            await quiet();
            const found = await violations(all);
            for (const { gid, accounts } of all) {
              played.delete(gid);
              for (const account of accounts) acts.forget(account);
            }
            if (found.length > 0)
              throw new Error(
                `${found.length} of ${all.length}, ${JSON.stringify(disturbance)}:\n${found.slice(0, 5).join('\n')}`,
              );
          }),
          { seed, numRuns, endOnFailure: true },
        );
        // Nothing has come later.
        expect(await wrong(finals)).toEqual([]);
      },
      LONGEST_MS,
    );
  },
);
