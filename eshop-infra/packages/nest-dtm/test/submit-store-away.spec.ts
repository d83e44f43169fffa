import { existsSync } from 'node:fs';
import { Controller, Get } from '@nestjs/common';
import {
  DtmBackCheck,
  DtmError,
  DtmOutcomeUnknown,
  DtmUnavailable,
  httpBranch,
  newGid,
  Refusal,
  type SubmitOptions,
} from '../src/index.js';
import { LocalTransaction, mysqlBarrier } from '../src/mysql.js';
import { transactionEnd } from '../src/testing/index.js';
import { Bank } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { answered } from './support/dtm-metrics.js';
import { bringBack, type DtmStore, dtmStores, startDtm } from './support/dtm-store.js';
import { env } from './support/env.js';
import type { Away } from './support/outage-proxy.js';
import { type PlannerApp, PlanWorkflow, startPlanner } from './support/plan.js';
import { gate, until } from './support/until.js';

const binary = existsSync(env.dtmBinary);
const suite = binary ? describe.each : describe.skip.each;
const why = binary ? '' : ' (skipped: TEST_DTM_BINARY names no DTM executable)';

@Controller()
class BackCheckController {
  @DtmBackCheck()
  @Get('asked')
  asked(): never {
    throw new Error('the body of a back-check does not run');
  }
}

const cases = dtmStores.flatMap(({ store, makeStore }) => [
  { store, makeStore, protocol: 'grpc' as const },
  { store, makeStore, protocol: 'http' as const },
]);

suite(cases)(
  `what a submitter is told while DTM's store is away, on $store over $protocol${why}`,
  ({ makeStore, protocol }) => {
    const DEADLINE_MS = 600;
    let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
    let store: DtmStore;
    let dtm: Awaited<ReturnType<typeof startDtm>>;
    let bank: PlannerApp;

    beforeAll(async () => {
      [database, store] = await Promise.all([throwAwayDatabase(), makeStore()]);
      dtm = await startDtm(store);
      const servers = { default: { grpc: dtm.grpc, http: dtm.http, protocol, deadlineMs: DEADLINE_MS } };
      bank = await startPlanner(database.dataSource, { servers }, { controllers: [BackCheckController] });
    });
    afterEach(() => bringBack(store, dtm.http));
    afterAll(async () => {
      await bank?.close();
      await dtm?.server.remove();
      await store?.remove();
      await database?.drop();
    });

    const transfer = (account: string) => ({ account, amount: 3 });
    const accounts = (...balances: number[]): Promise<string[]> =>
      Promise.all(balances.map((one) => bank.account(one)));
    function submit(gid: string, from: string[], options: SubmitOptions = {}) {
      const saga = bank.dtm.saga(gid, { retryInterval: 2 });
      for (const account of from) saga.step(Bank.withdraw, Bank.withdrawRevert, transfer(account));
      return saga.submit(options);
    }
    /** Whether an outcome is one that a submitter may be told of a transaction that ended so. */
    function expectTrue(told: unknown, end: 'succeed' | 'failed'): void {
      if (told instanceof DtmUnavailable || told instanceof DtmOutcomeUnknown) return;
      if (told instanceof Error && !(told instanceof Refusal)) throw told;
      const said = told instanceof Refusal ? 'failed' : (told as { status: string }).status;
      if (said !== 'submitted') expect(said === 'aborting' ? 'failed' : said).toBe(end);
    }
    const told = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
    /** An error that says that nothing is known, in time. */
    async function expectUnknown(work: Promise<unknown>, within = DEADLINE_MS): Promise<void> {
      const began = performance.now();
      const error = await told(work);
      expect(performance.now() - began).toBeLessThan(within + 1_500);
      expect(error).toBeInstanceOf(DtmError);
      expect(['DTM_UNAVAILABLE', 'DTM_OUTCOME_UNKNOWN']).toContain((error as DtmError).code);
    }
    /** As whoever submits until he knows, once the store is back. */
    async function expectEnd(gid: string, from: string[], end: 'succeed' | 'failed'): Promise<void> {
      const last = await until(`${gid} is submitted`, () => submit(gid, from).catch(() => null));
      expect(await transactionEnd(bank.dtm, gid)).toMatchObject({ status: end });
      expectTrue(last, end);
      for (const [index, account] of from.entries()) {
        const { balance } = await bank.state(account);
        const refuses = end === 'failed' && index === from.length - 1;
        expect(balance).toBe(refuses ? 1 : end === 'succeed' ? 7 : 10);
      }
    }

    test('a saga whose progress is lost with the store, and whose time is over when it is back: nothing stays', async () => {
      const [gid, from] = [newGid(), await accounts(10, 10, 10)];
      const [first, , last] = from as [string, string, string];
      const [entered, gone] = [gate(), gate()];
      bank.scripts.on(first, 'action', async () => {
        entered.open();
        await gone.opened;
      });
      bank.scripts.on(last, 'action', () => {
        throw new Error('not now');
      });
      const saga = bank.dtm.saga(gid, { timeoutToFail: 2, retryInterval: 1 });
      for (const account of from) saga.step(Bank.withdraw, Bank.withdrawRevert, transfer(account));
      const over = Date.now() + 2_500;
      await saga.submit();
      await entered.opened;
      await store.proxy.leave('refused');
      gone.open();
      // Without its store DTM goes on, and keeps nothing of it.
      await until('the last step is tried', () => bank.scripts.count(last, 'action') > 0);
      await until('its time is over', () => Date.now() > over);
      bank.scripts.off(last, 'action');
      await bringBack(store, dtm.http);
      expect(await transactionEnd(bank.dtm, gid)).toMatchObject({ status: 'failed' });
      for (const account of from) expect((await bank.state(account)).balance).toBe(10);
    });

    describe.each(['refused', 'hanging'] satisfies Away[])('%s', (away) => {
      test('a query', async () => {
        await store.proxy.leave(away);
        await expectUnknown(bank.dtm.query(newGid()));
      });

      test('a submit that asks first sends nothing', async () => {
        const [gid, from] = [newGid(), await accounts(10, 10)];
        const before = await answered(dtm.http, 'submit');
        await store.proxy.leave(away);
        await expectUnknown(submit(gid, from));
        await bringBack(store, dtm.http);
        expect((await answered(dtm.http, 'submit')) - before).toBe(0);
        await expectEnd(gid, from, 'succeed');
      });

      test.each([
        ['succeeds', 10],
        ['is refused', 1],
      ])('a saga whose result is waited for, which %s: submitted once', async (_, balance) => {
        const [gid, from] = [newGid(), await accounts(10, 10, balance)];
        const before = await answered(dtm.http, 'submit');
        await store.proxy.leave(away);
        const queries = await answered(dtm.http, 'query');
        // Its deadline, of 12 s, is longer than this outage.
        const outcome = told(submit(gid, from, { fresh: true, waitResult: true }));
        if (away === 'refused')
          await until('DTM is asked again', async () => (await answered(dtm.http, 'query')) > queries + 2);
        else await expectUnknown(bank.dtm.query(gid));
        expect((await answered(dtm.http, 'submit')) - before).toBe(away === 'refused' ? 1 : 0);
        await bringBack(store, dtm.http);
        expectTrue(await outcome, balance === 10 ? 'succeed' : 'failed');
        await expectEnd(gid, from, balance === 10 ? 'succeed' : 'failed');
      });

      test.each([
        ['succeeds', 10],
        ['is refused', 1],
      ])('a saga that %s, with the store away until the deadline: submitted once', async (_, balance) => {
        const [gid, from] = [newGid(), await accounts(10, 10, balance)];
        const before = await answered(dtm.http, 'submit');
        await store.proxy.leave(away);
        const outcome = await told(submit(gid, from, { fresh: true }));
        expect((await answered(dtm.http, 'submit')) - before).toBe(away === 'refused' ? 1 : 0);
        if (away === 'hanging') expect(outcome).toBeInstanceOf(DtmOutcomeUnknown);
        await bringBack(store, dtm.http);
        await expectEnd(gid, from, balance === 10 ? 'succeed' : 'failed');
      });

      test('a saga that was rolled back and is submitted again stays rolled back', async () => {
        const [gid, from] = [newGid(), await accounts(10, 10, 1, 10)];
        const poor = from[2] as string;
        await submit(gid, from);
        await transactionEnd(bank.dtm, gid);
        await database.dataSource.query('UPDATE account SET balance = 10 WHERE name = ?', [poor]);
        await store.proxy.leave(away);
        await expectUnknown(submit(gid, from));
        await bringBack(store, dtm.http);
        expect(await submit(gid, from)).toMatchObject({ status: 'failed' });
        for (const account of from) expect((await bank.state(account)).balance).toBe(10);
      });

      const message = (gid: string, from: string, to: string, before?: () => Promise<void>) =>
        bank.dtm
          .message(gid, { retryInterval: 2, timeoutToFail: 2 })
          .step(Bank.withdraw, transfer(to))
          .prepareAndSubmit(
            mysqlBarrier(database.dataSource).local(async () => {
              await new LocalTransaction().execute('UPDATE account SET balance = balance - 3 WHERE name = ?', [from]);
              await before?.();
            }),
            { backCheck: httpBranch(`${bank.http}/asked`) },
          );

      test('a message is not prepared: its local step does not begin', async () => {
        const [gid, [from = '', to = '']] = [newGid(), await accounts(10, 10)];
        await store.proxy.leave(away);
        await expectUnknown(message(gid, from, to));
        expect((await bank.state(from)).balance).toBe(10);
        await bringBack(store, dtm.http);
        if (away === 'refused') expect(await bank.dtm.query(gid)).toBeNull();
      });

      test('a message whose local step is done is sent', async () => {
        const [gid, [from = '', to = '']] = [newGid(), await accounts(10, 10)];
        const outcome = await told(message(gid, from, to, () => store.proxy.leave(away)));
        await bringBack(store, dtm.http);
        expect(await transactionEnd(bank.dtm, gid)).toMatchObject({ status: 'succeed' });
        expectTrue(outcome, 'succeed');
        for (const account of [from, to]) expect((await bank.state(account)).balance).toBe(7);
      });

      test('a plain message is submitted once, and by its repeat sent', async () => {
        const [gid, [to = '']] = [newGid(), await accounts(10)];
        const send = (options: SubmitOptions = {}) =>
          bank.dtm.message(gid, { retryInterval: 2 }).step(Bank.withdraw, transfer(to)).submit(options);
        const before = await answered(dtm.http, 'submit');
        await store.proxy.leave(away);
        await told(send({ fresh: true }));
        expect((await answered(dtm.http, 'submit')) - before).toBe(away === 'refused' ? 1 : 0);
        await bringBack(store, dtm.http);
        await until(`${gid} is submitted`, () => send().catch(() => null));
        expect(await transactionEnd(bank.dtm, gid)).toMatchObject({ status: 'succeed' });
        expect(await bank.state(to)).toEqual({ balance: 7, hits: 1 });
      });

      test('a TCC is not prepared: its work does not begin', async () => {
        let begun = false;
        await store.proxy.leave(away);
        await expectUnknown(
          bank.dtm.tcc(newGid(), async () => {
            begun = true;
          }),
        );
        expect(begun).toBe(false);
      });

      const tcc = (gid: string, from: string[], leaveAfter: number) =>
        bank.dtm.tcc(
          gid,
          async (under) => {
            for (const [index, account] of from.entries()) {
              if (index === leaveAfter) await store.proxy.leave(away);
              await under.branch(Bank.withdraw, Bank.withdrawConfirm, Bank.withdrawRevert, transfer(account));
            }
            if (leaveAfter === from.length) await store.proxy.leave(away);
          },
          { retryInterval: 2, timeoutToFail: 3 },
        );

      test('a TCC whose branch DTM cannot be told of is cancelled', async () => {
        const [gid, from] = [newGid(), await accounts(10, 10)];
        await expectUnknown(tcc(gid, from, 1), 2 * DEADLINE_MS);
        await bringBack(store, dtm.http);
        expect(await transactionEnd(bank.dtm, gid)).toMatchObject({ status: 'failed' });
        for (const account of from) expect((await bank.state(account)).balance).toBe(10);
      });

      test('a TCC at its submit is told nothing that is not so', async () => {
        const [gid, from] = [newGid(), await accounts(10, 10)];
        const outcome = await told(tcc(gid, from, 2));
        await bringBack(store, dtm.http);
        const { status: end } = await transactionEnd(bank.dtm, gid);
        // A TCC that is submitted cannot be refused any more.
        if (!(outcome instanceof Error)) expect(end).toBe('succeed');
        else expectTrue(outcome, end);
        for (const account of from) expect((await bank.state(account)).balance).toBe(end === 'succeed' ? 7 : 10);
      });

      test('a workflow is not begun', async () => {
        const [gid, [account = '']] = [newGid(), await accounts(10)];
        await store.proxy.leave(away);
        await expectUnknown(bank.dtm.workflow(gid, PlanWorkflow, { steps: [{ do: 'local', account }] }));
        expect((await bank.state(account)).balance).toBe(10);
      });

      test('a workflow whose step DTM cannot be told of goes on afterwards', async () => {
        const [gid, [one = '', two = '']] = [newGid(), await accounts(10, 10)];
        bank.scripts.on(one, 'action', () => store.proxy.leave(away));
        const steps = [one, two].map((account) => ({ do: 'local' as const, account }));
        const outcome = await told(bank.dtm.workflow(gid, PlanWorkflow, { steps }, { retryInterval: 2 }));
        expect(outcome).toMatchObject({ status: 'submitted' });
        bank.scripts.off(one, 'action');
        await bringBack(store, dtm.http);
        expect(await transactionEnd(bank.dtm, gid)).toMatchObject({ status: 'succeed' });
        for (const account of [one, two]) expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
      });
    });
  },
);
