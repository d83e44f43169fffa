import { randomUUID } from 'node:crypto';
import { Controller, Post } from '@nestjs/common';
import { concat, defer, ignoreElements, NEVER, type Observable, of, timer } from 'rxjs';
import { DtmBranches, Refusal } from '../src/index.js';
import { LocalTransaction } from '../src/mysql.js';
import { DtmCaller } from '../src/testing/index.js';
import { type BankApp, Message, signature, startBank, type Transfer } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';

/** Handlers whose work comes behind their first value. */
@Controller()
@DtmBranches()
class StreamingController {
  constructor(private readonly tx: LocalTransaction) {}

  @Post('late-write')
  lateWrite(@Message() transfer: Transfer): Observable<object> {
    return concat(
      of({}),
      defer(async () => {
        await this.#withdraw(transfer);
        return {};
      }),
    );
  }

  @Post('late-refusal')
  lateRefusal(@Message() transfer: Transfer): Observable<object> {
    const refuse = defer(async () => {
      await this.#withdraw(transfer);
      throw new Refusal('on second thoughts');
    });
    return concat(of({}), timer(20).pipe(ignoreElements()), refuse);
  }

  @Post('endless')
  endless(): Observable<object> {
    return concat(of({}), NEVER);
  }

  async #withdraw({ account, amount }: Transfer): Promise<void> {
    await this.tx.execute('UPDATE account SET balance = balance - ? WHERE name = ?', [amount, account]);
  }
}

describe('a handler that returns an Observable', () => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;
  let caller: DtmCaller;

  beforeAll(async () => {
    database = await throwAwayDatabase(2);
    bank = await startBank(database.dataSource, { branchTimeoutMs: 500 }, {}, 'express', {
      controllers: [StreamingController],
    });
    caller = new DtmCaller({ signature, http: bank.http });
  });
  afterAll(async () => {
    caller?.close();
    await bank?.close();
    await database?.drop();
  });

  test.each([
    ['/late-write', 200, 7],
    ['/late-refusal', 409, 10],
    ['/endless', 503, 10],
  ])('is awaited to its end before anything is committed: %s', async (path, status, balance) => {
    const account = await bank.account(10);
    const answer = await caller.http(path, { gid: randomUUID() }, { account, amount: 3 });
    expect(answer.status).toBe(status);
    expect((await bank.state(account)).balance).toBe(balance);
  });
});
