import { Controller, Injectable, Post } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { DataSource } from 'typeorm';
import {
  type DtmModuleOptions,
  DtmWorkflow,
  DtmWorkflowCallback,
  httpBranch,
  Refusal,
  type Workflow,
} from '../../src/index.js';
import { LocalTransaction } from '../../src/mysql.js';
import type { AdapterName } from './adapters.js';
import { Accounts, Bank, type BankApp, type BankExtras, Scripts, startBank, type Transfer } from './bank.js';

/** One step of the test workflow. */
type TakenStep =
  | { do: 'local' | 'branch' | 'tcc'; account: string; swallow?: boolean }
  | { do: 'http'; account: string; at: string }
  | { do: 'record'; name: string };

/** A step, or how the workflow ends. */
export type PlanStep = TakenStep | { do: 'refuse' | 'fail'; why: string };

/** Input of the test workflow: what it does. */
export interface Plan {
  steps: PlanStep[];
  returns?: string;
}

export const AMOUNT = 3;

/** What a test makes a `record` step do, and what the next plans do at their beginning. */
@Injectable()
export class Records {
  readonly #scripts = new Map<string, () => unknown>();
  readonly ran: string[] = [];

  on(name: string, script: () => unknown): void {
    this.#scripts.set(name, script);
  }

  async run(name: string): Promise<unknown> {
    this.ran.push(name);
    return (await this.#scripts.get(name)?.()) ?? `${name} #${this.ran.filter((one) => one === name).length}`;
  }
}

/** A workflow that takes money from accounts, as its input says, and returns what its steps returned. */
@DtmWorkflow('plan')
export class PlanWorkflow {
  constructor(
    private readonly accounts: Accounts,
    private readonly scripts: Scripts,
    private readonly records: Records,
    private readonly tx: LocalTransaction,
  ) {}

  async run(workflow: Workflow, { steps, returns }: Plan): Promise<unknown> {
    const values: unknown[] = [];
    for (const [index, step] of steps.entries()) {
      if ('why' in step) throw step.do === 'refuse' ? new Refusal(step.why) : new Error(step.why);
      try {
        values.push((await this.#take(workflow, step, index)) ?? null);
      } catch (error) {
        if (!('swallow' in step)) throw error;
      }
    }
    return returns ?? values;
  }

  #take(workflow: Workflow, step: TakenStep, index: number): Promise<unknown> {
    if (step.do === 'record') return workflow.record(step.name, () => this.records.run(step.name));
    const { account } = step;
    const payload = { account, amount: AMOUNT };
    const at = (path: string) => httpBranch<Transfer>(`${'at' in step ? step.at : ''}/${path}`);
    switch (step.do) {
      case 'branch':
        return workflow.branch(Bank.withdraw, Bank.withdrawRevert, payload);
      case 'http':
        return workflow.branch(at('withdraw'), at('withdrawRevert'), payload);
      case 'tcc':
        return workflow.tcc(Bank.withdraw, Bank.withdrawConfirm, Bank.withdrawRevert, payload);
      case 'local':
        return workflow.local(
          `take ${index}`,
          async () => {
            await this.take(account);
            return { took: AMOUNT };
          },
          ({ took }) => this.giveBack(account, took),
        );
    }
  }

  async take(account: string): Promise<void> {
    await this.scripts.run(account, this.tx);
    await this.accounts.add(account, -AMOUNT);
  }

  async giveBack(account: string, took = AMOUNT): Promise<void> {
    await this.scripts.run(account, this.tx);
    await this.accounts.add(account, took);
  }
}

@Controller()
export class PlanCallback {
  @DtmWorkflowCallback()
  @GrpcMethod('workflow.Workflow', 'execute')
  @Post('workflow')
  resume(): never {
    throw new Error('the body of a callback does not run');
  }
}

export interface PlannerApp extends BankApp {
  records: Records;
}

/** The bank, with the test workflow. */
export async function startPlanner(
  dataSource: DataSource,
  options: Partial<DtmModuleOptions> = {},
  { httpPort, controllers = [], providers = [] }: BankExtras = {},
  adapter: AdapterName = 'fastify',
): Promise<PlannerApp> {
  const bank = await startBank(dataSource, options, {}, adapter, {
    httpPort,
    controllers: [PlanCallback, ...controllers],
    providers: [PlanWorkflow, Records, ...providers],
  });
  return { ...bank, records: bank.app.get(Records) };
}
