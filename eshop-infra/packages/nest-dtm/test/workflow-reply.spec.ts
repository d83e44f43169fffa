import { Injectable } from '@nestjs/common';
import { DtmWorkflow, newGid, type Workflow } from '../src/index.js';
import { DtmCaller } from '../src/testing/index.js';
import { transports } from './support/adapters.js';
import { signature } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { hear } from './support/log.js';
import { HOLDING_ITSELF, Spend, type SpendStep, startWallet, Wallet, type WalletApp } from './support/wallet.js';

describe.each(transports)('the reply of a branch over %s (%s)', (transport, adapter) => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let wallet: WalletApp;
  let caller: DtmCaller;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    wallet = await startWallet(database.dataSource, {}, adapter);
    caller = new DtmCaller({ signature, grpcAddress: wallet.grpcAddress, http: wallet.http });
  });
  afterAll(async () => {
    caller?.close();
    await wallet?.close();
    await database?.drop();
  });

  const spend = async (gid: string, ...steps: SpendStep[]): Promise<unknown> => {
    const at = transport === 'http' ? { at: wallet.http } : {};
    const { status, value } = await wallet.dtm.workflow(gid, Spend, {
      steps: steps.map((step) => ({ ...at, ...step })),
    });
    expect(status).toBe('succeed');
    return value;
  };

  test.each<[unknown]>([
    [{ id: 7, deep: [{ a: null }, [], {}] }],
    [{ said: 'FAILURE and ONGOING, \\FAILURE, "ONGOING"', FAILURE: 'ONGOING' }],
    ['FAILURE'],
    ['a text'],
    ['7'],
    [7],
    [0],
    [true],
    [[1, 'ü', '\u{1f600}']],
    [{}],
  ])('comes back as it is: %j', async (reply) => {
    expect(await spend(newGid(), { reply }, { reply, hold: true })).toEqual([reply, reply]);
  });

  test('the same gid again gives the same', async () => {
    const gid = newGid();
    expect(await spend(gid, { reply: { id: 7 } })).toEqual([{ id: 7 }]);
    expect(await spend(gid, { reply: { id: 8 } })).toEqual([{ id: 7 }]);
    expect(wallet.ran.of(gid)).toEqual(['01 action pay']);
  });

  test('of a call that took effect before, whose reply nobody heard, is undefined', async () => {
    const gid = newGid();
    const call = { gid, transType: 'workflow' };
    const sum = { cents: 1, reply: { id: 7 } };
    await (transport === 'grpc' ? caller.grpc(Wallet.pay, call, sum) : caller.http('/pay', call, sum));
    expect(await spend(gid, { reply: { id: 7 } })).toEqual(['none']);
    expect(wallet.ran.of(gid)).toEqual(['01 action pay']);
  });

  if (transport === 'http') {
    test('goes to workflows only: DTM makes nothing of it', async () => {
      const sum = { cents: 1, reply: { id: 7 } };
      expect((await caller.http('/pay', { gid: newGid() }, sum)).text).toBe('{}');
      expect((await caller.http('/pay', { gid: newGid(), transType: 'workflow' }, sum)).text).toBe('{"id":7}');
    });

    test('has none of the words by which DTM decides', async () => {
      const sum = { cents: 1, reply: { FAILURE: 'ONGOING' } };
      const { status, text } = await caller.http('/pay', { gid: newGid(), transType: 'workflow' }, sum);
      expect([status, JSON.parse(text)]).toEqual([200, { FAILURE: 'ONGOING' }]);
      expect(text).not.toMatch(/FAILURE|ONGOING/);
    });

    test('that no JSON can carry, or of a handler that gives none, is undefined; the first is an error in the log', async () => {
      const [gid, heard] = [newGid(), hear(wallet.app)];
      expect(await spend(gid, {}, { reply: HOLDING_ITSELF })).toEqual(['none', 'none']);
      expect(heard.error).toEqual([
        expect.stringContaining(`branch ${gid}/02 action took effect, but its reply is no JSON`),
      ]);
    });
  }
});

/** A codec as some generate it: its values are more than JSON can carry. */
const payBig = {
  ...Wallet.pay,
  responseDeserialize: (bytes: Buffer) => ({ id: BigInt(JSON.parse(bytes.toString()).id), at: new Date(0) }),
};
const { responseDeserialize: _, ...payMute } = Wallet.pay;

@Injectable()
@DtmWorkflow('spend-big')
class SpendBig {
  readonly got: unknown[] = [];

  async run(workflow: Workflow): Promise<string> {
    const big = await workflow.branch(payBig, null, { cents: 1, reply: { id: '12345678901234567890' } });
    this.got.push(big, await workflow.branch(payMute, null, { cents: 1, reply: { id: 1 } }));
    const fresh = await workflow.record('fresh', async () => 'yes');
    if (this.got.length === 2) throw new Error('once more');
    return `${fresh} ${big?.id}`;
  }
}

test('a reply is decoded by its codec on every run, also what JSON cannot carry; without a codec there is none', async () => {
  const database = await throwAwayDatabase();
  const wallet = await startWallet(database.dataSource, {}, 'fastify', [SpendBig]);
  const [gid, got] = [newGid(), wallet.app.get(SpendBig).got];
  const run = () => wallet.dtm.workflow(gid, SpendBig, undefined);
  expect(await run()).toMatchObject({ status: 'submitted', reason: 'once more' });
  expect(await run()).toMatchObject({ status: 'succeed', value: 'yes 12345678901234567890' });
  const big = { id: 12345678901234567890n, at: new Date(0) };
  expect(got).toEqual([big, undefined, big, undefined]);
  expect(wallet.ran.of(gid)).toEqual(['01 action pay', '02 action pay']);
  await wallet.close();
  await database.drop();
});
