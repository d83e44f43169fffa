import { existsSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { DtmUnavailable, newGid } from '../src/index.js';
import type { CallFailure } from '../src/server/call-failure.js';
import type { DtmRequest } from '../src/server/dtm-request.js';
import { DtmServer } from '../src/server/dtm-server.js';
import type { TransactionCall } from '../src/server/dtm-transport.js';
import type { Transaction } from '../src/server/transaction.js';
import { transactionEnd } from '../src/testing/index.js';
import { bringBack, type DtmStore, dtmStores, startDtm } from './support/dtm-store.js';
import { env } from './support/env.js';
import { type Answer, type Recorder, startRecorder } from './support/recorder.js';
import { until } from './support/until.js';

const binary = existsSync(env.dtmBinary);
const suite = binary ? describe.each : describe.skip.each;
const why = binary ? '' : ' (skipped: TEST_DTM_BINARY names no DTM executable)';

/** Long enough for DTM to answer what it can answer with its store away, milliseconds. */
const ANSWERED_MS = 3_000;
/** Longest wait for what never comes. */
const IN_VAIN_MS = 300;

suite(dtmStores)(`what a DTM server does with its store away, on $store${why}`, ({ makeStore }) => {
  let store: DtmStore;
  let recorder: Recorder;
  let dtm: Awaited<ReturnType<typeof startDtm>>;

  beforeAll(async () => {
    [store, recorder] = await Promise.all([makeStore(), startRecorder()]);
    dtm = await startDtm(store);
  });
  afterAll(async () => {
    await dtm?.server.remove();
    await store?.remove();
    await recorder?.close();
  });

  describe.each(['grpc', 'http'] as const)('told over %s', (protocol) => {
    let server: DtmServer;

    beforeAll(() => {
      server = new DtmServer({ grpc: dtm.grpc, http: dtm.http, protocol });
    });
    afterAll(() => server?.close());
    afterEach(() => bringBack(store, dtm.http));

    function request(transType: string, more: Partial<DtmRequest> = {}): DtmRequest {
      const steps = { saga: ['action', 'compensate'], msg: ['action'] }[transType]?.map((op) => [op, recorder.url]);
      const step = Object.fromEntries(steps ?? []);
      return {
        gid: newGid(),
        transType,
        transOptions: { retryInterval: 2, ...(transType === 'saga' ? {} : { timeoutToFail: 60 }) },
        customedData: transType === 'workflow' ? JSON.stringify({ name: 'some', data: '' }) : '',
        payloads: steps ? [Buffer.from('{}'), Buffer.from('{}')] : [],
        steps: steps ? [step, step] : [],
        queryPrepared: recorder.url,
        calledByHttp: transType === 'workflow',
        ...more,
      };
    }
    const waiting = (one: DtmRequest): DtmRequest => ({
      ...one,
      transOptions: { ...one.transOptions, waitResult: true },
    });
    const tell = (call: TransactionCall, one: DtmRequest, ms = ANSWERED_MS): Promise<CallFailure | null> =>
      server.transaction(call, one, ms);
    const register = (gid: string, transType: string, ms = ANSWERED_MS): Promise<CallFailure | null> =>
      server.registerBranch(
        {
          gid,
          transType,
          branchId: '01',
          op: 'action',
          data:
            transType === 'tcc'
              ? { confirm: recorder.url, cancel: recorder.url }
              : { op: 'action', status: 'succeed', sync: '1' },
          payload: Buffer.from('{}'),
        },
        ms,
      );
    /** What DTM has, as soon as it can tell. */
    async function stored(gid: string): Promise<Transaction | null> {
      const answer = await until(`DTM answers a query for ${gid}`, () =>
        server.query(gid).then(
          (transaction) => ({ transaction }),
          () => null,
        ),
      );
      return answer.transaction;
    }
    const called = (gid: string, ...calls: string[]): Promise<unknown> =>
      until(`${gid}: ${calls}`, () => `${recorder.calls(gid)}` === `${calls}`);
    const refusing =
      (refused: string) =>
      (branch: string): 'refused' | undefined =>
        branch === refused ? 'refused' : undefined;

    async function prepared(transType: string): Promise<DtmRequest> {
      const one = request(transType);
      expect(await tell('prepare', one)).toBeNull();
      if (transType === 'tcc') expect(await register(one.gid, transType)).toBeNull();
      return one;
    }
    async function rolledBack(): Promise<DtmRequest> {
      const one = request('saga');
      recorder.answer(one.gid, refusing('02 action'));
      await tell('submit', one);
      await transactionEnd(dtm.http, one.gid);
      return one;
    }

    test('a submit is acknowledged, its actions run, and nothing is kept', async () => {
      const one = request('saga');
      await store.proxy.leave('refused');
      expect(await tell('submit', one)).toBeNull();
      await called(one.gid, '01 action', '02 action');
      await store.proxy.back();
      expect(await stored(one.gid)).toBeNull();
    });

    test('the result waited for is a panic, after the actions ran', async () => {
      const one = waiting(request('saga'));
      await store.proxy.leave('refused');
      expect(await tell('submit', one)).toMatchObject({
        code: status.UNKNOWN,
        text: expect.stringMatching(/^dtm panic/),
      });
      expect(recorder.calls(one.gid)).toEqual(['01 action', '02 action']);
      await store.proxy.back();
      expect(await stored(one.gid)).toBeNull();
    });

    test('an action that refuses has nothing taken back', async () => {
      const one = waiting(request('saga'));
      recorder.answer(one.gid, refusing('02 action'));
      await store.proxy.leave('refused');
      expect(await tell('submit', one)).toMatchObject({ code: status.UNKNOWN });
      expect(recorder.calls(one.gid)).toEqual(['01 action', '02 action']);
      await store.proxy.back();
      expect(await stored(one.gid)).toBeNull();
    });

    test('a gid that was rolled back runs again', async () => {
      const one = await rolledBack();
      const before = recorder.calls(one.gid);
      recorder.answer(one.gid, () => undefined);
      await store.proxy.leave('refused');
      expect(await tell('submit', one)).toBeNull();
      await called(one.gid, ...before, '01 action', '02 action');
      await store.proxy.back();
      expect(await stored(one.gid)).toMatchObject({ status: 'failed' });
    });

    test('a prepared message is acknowledged, its first step called, and it stays prepared', async () => {
      const one = await prepared('msg');
      await store.proxy.leave('refused');
      expect(await tell('submit', one)).toBeNull();
      await called(one.gid, '01 action');
      await store.proxy.back();
      expect(await stored(one.gid)).toMatchObject({ status: 'prepared' });
    });

    test('a prepared TCC is acknowledged, nothing is confirmed, and it stays prepared', async () => {
      const one = await prepared('tcc');
      await store.proxy.leave('refused');
      expect(await tell('submit', one)).toBeNull();
      expect(await tell('submit', waiting(one))).toMatchObject({ code: status.UNKNOWN });
      await store.proxy.back();
      expect(await stored(one.gid)).toMatchObject({ status: 'prepared' });
      expect(recorder.calls(one.gid)).toEqual([]);
    });

    test('everything else is answered with an error, by a status that also means content it cannot store', async () => {
      const [message, tcc, workflow] = [await prepared('msg'), await prepared('tcc'), await prepared('workflow')];
      const unknown = ['msg', 'tcc', 'workflow'].map((transType) => request(transType));
      const ended = { ...workflow, reqExtra: { status: 'succeed', result: '' } };
      await store.proxy.leave('refused');
      const answers = await Promise.all([
        ...unknown.map((one) => tell('prepare', one)),
        tell('abort', message),
        tell('abort', tcc),
        register(tcc.gid, 'tcc'),
        register(workflow.gid, 'workflow'),
        tell('submit', ended),
      ]);
      for (const answer of answers) {
        expect(answer?.text).toMatch(/connection (refused|reset by peer)|broken pipe/);
        expect([status.INTERNAL, status.UNKNOWN]).toContain(answer?.code);
      }
      expect(answers.some((answer) => answer?.code === status.INTERNAL)).toBe(true);
      await expect(server.query(tcc.gid)).rejects.toBeInstanceOf(DtmUnavailable);
      expect((await fetch(`${dtm.http}/api/ping`)).status).toBe(200);
      await store.proxy.back();
      for (const { gid } of unknown) expect(await stored(gid)).toBeNull();
      for (const { gid } of [message, tcc, workflow]) expect(await stored(gid)).toMatchObject({ status: 'prepared' });
      // That of the TCC has its confirmation and its cancellation from before.
      expect((await stored(workflow.gid))?.branches).toEqual([]);
    });

    test('a store that hangs: nothing is answered, and all is done when it goes on, though nobody waits any more', async () => {
      const [known, message, tcc] = [await rolledBack(), await prepared('msg'), await prepared('tcc')];
      const [aborted, workflow] = [await prepared('tcc'), await prepared('workflow')];
      const [saga, one] = [request('saga'), request('tcc')];
      const before = recorder.calls(known.gid);
      await store.proxy.leave('hanging');
      const answers = await Promise.all([
        tell('submit', saga, IN_VAIN_MS),
        tell('submit', known, IN_VAIN_MS),
        tell('submit', message, IN_VAIN_MS),
        tell('submit', tcc, IN_VAIN_MS),
        tell('abort', aborted, IN_VAIN_MS),
        tell('prepare', one, IN_VAIN_MS),
        register(workflow.gid, 'workflow', IN_VAIN_MS),
      ]);
      for (const answer of answers) expect(answer?.code).toBe(status.DEADLINE_EXCEEDED);
      await expect(server.query(saga.gid, IN_VAIN_MS)).rejects.toBeInstanceOf(DtmUnavailable);
      await store.proxy.back();
      for (const { gid } of [saga, message, tcc])
        expect(await transactionEnd(dtm.http, gid)).toMatchObject({ status: 'succeed' });
      expect(await transactionEnd(dtm.http, aborted.gid)).toMatchObject({ status: 'failed' });
      await until('it is prepared', async () => (await stored(one.gid))?.status === 'prepared');
      await until('the step is known', async () => (await stored(workflow.gid))?.branches.length === 1);
      expect(await stored(known.gid)).toMatchObject({ status: 'failed' });
      expect(recorder.calls(known.gid)).toEqual(before);
    });

    test('a store that hangs and dies: a submit that was given up runs then, and nothing is kept', async () => {
      const one = request('saga');
      await store.proxy.leave('hanging');
      expect(await tell('submit', one, IN_VAIN_MS)).toMatchObject({ code: status.DEADLINE_EXCEEDED });
      expect(recorder.calls(one.gid)).toEqual([]);
      await store.proxy.leave('refused');
      await called(one.gid, '01 action', '02 action');
      await store.proxy.back();
      expect(await stored(one.gid)).toBeNull();
    });

    test.each([
      ['timeoutToFail', { timeoutToFail: 2 }],
      ['retryLimit', { retryLimit: 1 }],
    ])(
      'a saga that ends by its %s compensates only what the store has heard of, and the step after',
      async (_, giving) => {
        const one = request('saga', { transOptions: { retryInterval: 1, ...giving } });
        const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
        let first = true;
        recorder.answer(one.gid, async (branch): Promise<Answer> => {
          if (branch !== '01 action') return 'done';
          await gone;
          return first ? 'done' : 'later';
        });
        const answer = tell('submit', waiting(one));
        await called(one.gid, '01 action');
        await store.proxy.leave('refused');
        leave();
        // Both took effect, of which nothing is stored.
        expect(await answer).toMatchObject({ code: status.UNKNOWN });
        expect(recorder.calls(one.gid)).toEqual(['01 action', '02 action']);
        first = false;
        await bringBack(store, dtm.http);
        expect(await transactionEnd(dtm.http, one.gid)).toMatchObject({ status: 'failed' });
        expect(recorder.calls(one.gid)).toContain('01 compensate');
        expect(recorder.calls(one.gid)).not.toContain('02 compensate');
      },
    );

    test.each(['refused', 'hanging'] as const)(
      'what is under way goes on by itself after the store was away, %s',
      async (away) => {
        const [running, due, workflow] = [request('saga'), request('saga'), request('workflow')];
        const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
        recorder.answer(running.gid, async (branch): Promise<Answer> => {
          if (branch === '01 action') await gone;
          return 'done';
        });
        let later = true;
        for (const { gid } of [due, workflow]) recorder.answer(gid, () => (later ? 'later' : 'done'));
        await tell('submit', running);
        await tell('submit', due);
        await tell('prepare', workflow);
        await until('both have begun', () => [running, due].every(({ gid }) => recorder.calls(gid).length > 0));
        await store.proxy.leave(away);
        leave();
        later = false;
        // Without its store DTM goes on all the same; for a store that hangs it waits.
        if (away === 'refused') await called(running.gid, '01 action', '02 action');
        await store.proxy.back();
        for (const { gid } of [running, due])
          expect(await transactionEnd(dtm.http, gid)).toMatchObject({ status: 'succeed' });
        await until('the workflow is resumed', () => recorder.calls(workflow.gid).length > 0);
      },
    );
  });
});
