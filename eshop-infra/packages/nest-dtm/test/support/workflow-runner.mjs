// A process of its own that runs a workflow and ends, as `kill -9` ends one, at the point named in its instructions.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';

const { library, servers, branches, signature, mysqlUrl, gid, local, remote, last, point, options } = JSON.parse(
  process.argv[2],
);
const { DtmModule, DtmService, DtmWorkflow, Refusal } = await import(`${library}/index.js`);
const { LocalTransaction, mysqlBarrier } = await import(`${library}/mysql.js`);
const method = (path) => ({ path, requestSerialize: (value) => Buffer.from(JSON.stringify(value)) });
const withdraw = method('/bank.Bank/Withdraw');
const withdrawRevert = method('/bank.Bank/WithdrawRevert');
const die = async (at) => {
  if (at !== point) return;
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
};

const dataSource = await new DataSource({ type: 'mysql', url: mysqlUrl, poolSize: 2 }).initialize();
const kept = mysqlBarrier(dataSource);
const barrier = {
  call: (call) => kept.call(call),
  step: async (branch, work) => {
    const outcome = await kept.step(branch, work);
    await die(`after the commit of step ${branch.branchId}`);
    return outcome;
  },
  stepBack: async (branch, work) => {
    await kept.stepBack(branch, work);
    await die(`after step ${branch.branchId} was taken back`);
  },
};

/** The workflow that `killed-workflow.spec.ts` resumes. */
class Killed {
  tx = new LocalTransaction();

  add(account, amount) {
    return this.tx.execute('UPDATE account SET balance = balance + ?, hits = hits + 1 WHERE name = ?', [
      amount,
      account,
    ]);
  }

  async run(workflow, { refuse }) {
    await die('before the first step');
    const { token } = await workflow.local(
      'take',
      async () => {
        await this.add(local, -3);
        await die('in the transaction of step 01');
        return { token: 'of the one who did it' };
      },
      async () => {
        await this.add(local, 3);
        await die('in the transaction that takes step 01 back');
      },
    );
    await die('after step 01');
    await workflow.branch(withdraw, withdrawRevert, { account: remote, amount: 3 });
    await die('after step 02');
    await workflow.local(
      'take more',
      () => this.add(last, -3).then(() => undefined),
      () => this.add(last, 3),
    );
    await die('after step 03');
    if (refuse) throw new Refusal('no');
    await die('before the submit');
    return token;
  }
}
DtmWorkflow('killed')(Killed);

class KilledModule {}
const { Module } = await import('@nestjs/common');
Module({
  imports: [DtmModule.forRoot({ servers, branches, signature, branchSyncCheck: false, barrier })],
  providers: [Killed],
})(KilledModule);
const app = await NestFactory.createApplicationContext(KilledModule, { logger: false });
process.stdout.write('running\n');
await app
  .get(DtmService)
  .workflow(gid, Killed, { refuse: point.includes('taken back') || point.includes('takes') }, options);
await die(point);
