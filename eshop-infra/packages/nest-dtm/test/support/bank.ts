import { type handleUnaryCall, type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import {
  Controller,
  createParamDecorator,
  type ExecutionContext,
  type INestApplication,
  Injectable,
  Module,
  type ModuleMetadata,
  type PipeTransform,
  Post,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import type { DataSource } from 'typeorm';
import { workflowService } from '../../src/grpc.js';
import { type BranchOp, DtmBranches, DtmModule, type DtmModuleOptions, DtmService, Refusal } from '../../src/index.js';
import { LocalTransaction, type MysqlBarrierOptions, mysqlBarrier } from '../../src/mysql.js';
import { freePort } from '../../src/testing/index.js';
import { type AdapterName, adapters } from './adapters.js';
import { env } from './env.js';

/** Payload of every branch of the test service. */
export interface Transfer {
  account: string;
  amount: number;
}

function method(name: string): MethodDefinition<Transfer, object> {
  return jsonMethod<Transfer>(`/bank.Bank/${name}`);
}

/** A method whose messages are JSON: enough for a test. */
export function jsonMethod<Request>(path: string): MethodDefinition<Request, object> {
  const serialize = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize,
    requestDeserialize: (bytes) => JSON.parse(bytes.toString() || '{}'),
    responseSerialize: serialize,
    responseDeserialize: (bytes) => JSON.parse(bytes.toString() || '{}'),
  };
}

/** What the action replies. */
export const SAID = { said: 'FAILURE and ONGOING are words DTM reads in bodies' };

export const Bank = {
  withdraw: method('Withdraw'),
  withdrawRevert: method('WithdrawRevert'),
  withdrawConfirm: method('WithdrawConfirm'),
} satisfies ServiceDefinition<{ [name: string]: handleUnaryCall<Transfer, object> }>;

/** What a test makes a branch do instead of, or before, its work. Keyed by account and op. */
@Injectable()
export class Scripts {
  readonly #scripts = new Map<string, (tx: LocalTransaction) => Promise<void> | void>();
  readonly calls: string[] = [];

  on(account: string, op: BranchOp, script: (tx: LocalTransaction) => Promise<void> | void): void {
    this.#scripts.set(`${account} ${op}`, script);
  }

  off(account: string, op: BranchOp): void {
    this.#scripts.delete(`${account} ${op}`);
  }

  async run(account: string, tx: LocalTransaction): Promise<void> {
    this.calls.push(`${account} ${tx.branch.op}`);
    await this.#scripts.get(`${account} ${tx.branch.op}`)?.(tx);
  }

  /** How often the handler itself ran. */
  count(account: string, op: BranchOp): number {
    return this.calls.filter((call) => call === `${account} ${op}`).length;
  }
}

/** The SQL stands in a service of its own: it finds the branch's transaction by injection. */
@Injectable()
export class Accounts {
  constructor(private readonly tx: LocalTransaction) {}

  async add(account: string, amount: number): Promise<void> {
    const { affectedRows } = await this.tx.execute(
      'UPDATE account SET balance = balance + ?, hits = hits + 1 WHERE name = ? AND balance + ? >= 0',
      [amount, account, amount],
    );
    if (affectedRows === 0) throw new Refusal(`${account} has not enough`);
  }
}

export const Message = createParamDecorator((_: unknown, context: ExecutionContext) =>
  context.getType() === 'rpc' ? context.switchToRpc().getData() : context.switchToHttp().getRequest().body,
);

/** Says no to a payload as a contract's validation would: an error that knows its gRPC status. */
class PositiveAmount implements PipeTransform<Transfer, Transfer> {
  transform(value: Transfer): Transfer {
    if (!(value?.amount > 0))
      throw Object.assign(new Error('amount must be > 0'), { code: 'INVALID_PARAMETER', grpcStatus: 3 });
    return value;
  }
}

@Controller()
@DtmBranches()
class BankSagaController {
  constructor(
    private readonly accounts: Accounts,
    private readonly scripts: Scripts,
    private readonly tx: LocalTransaction,
  ) {}

  @GrpcMethod('bank.Bank', 'withdraw')
  @Post('withdraw')
  async withdraw(@Message(PositiveAmount) transfer: Transfer): Promise<object> {
    await this.scripts.run(transfer.account, this.tx);
    await this.accounts.add(transfer.account, -transfer.amount);
    return SAID;
  }

  @GrpcMethod('bank.Bank', 'withdrawRevert')
  @Post('withdrawRevert')
  async withdrawRevert(@Message(PositiveAmount) transfer: Transfer): Promise<object> {
    await this.scripts.run(transfer.account, this.tx);
    await this.accounts.add(transfer.account, transfer.amount);
    return {};
  }
}

@Controller()
@DtmBranches()
class BankConfirmController {
  constructor(
    private readonly accounts: Accounts,
    private readonly scripts: Scripts,
    private readonly tx: LocalTransaction,
  ) {}

  @GrpcMethod('bank.Bank', 'withdrawConfirm')
  @Post('withdrawConfirm')
  async withdrawConfirm(@Message() { account }: Transfer): Promise<object> {
    await this.scripts.run(account, this.tx);
    await this.accounts.add(account, 0);
    return {};
  }
}

export interface BankApp {
  app: INestApplication;
  dtm: DtmService;
  scripts: Scripts;
  dataSource: DataSource;
  grpcAddress: string;
  http: string;
  /** Puts an account of this balance there; returns its unique name. */
  account(balance: number): Promise<string>;
  /** Balance, and how often it was changed. */
  state(account: string): Promise<{ balance: number; hits: number }>;
  /** Barrier rows of a transaction as `branch op reason`. */
  barrierRows(gid: string): Promise<string[]>;
  close(): Promise<void>;
}

export const signature = { keys: [{ id: 'now', secret: 'the secret of the tests' }] };

/** What a test adds to the service. */
export interface BankExtras extends Pick<ModuleMetadata, 'controllers' | 'providers'> {
  httpPort?: number;
}

/** A hybrid service with branches on both transports, and a submitter, on free ports. */
export async function startBank(
  dataSource: DataSource,
  options: Partial<DtmModuleOptions> = {},
  barrier: MysqlBarrierOptions = {},
  adapter: AdapterName = 'fastify',
  { httpPort = 0, controllers = [], providers = [] }: BankExtras = {},
): Promise<BankApp> {
  const port = await freePort();
  const grpcAddress = `127.0.0.1:${port}`;

  @Module({
    imports: [
      DtmModule.forRoot({
        servers: { default: { grpc: env.dtmGrpc, http: env.dtmHttp } },
        branches: { 'bank.Bank': grpcAddress, 'workflow.Workflow': grpcAddress },
        signature,
        branchSyncCheck: false,
        barrier: mysqlBarrier(dataSource, barrier),
        ...options,
      }),
    ],
    controllers: [BankSagaController, BankConfirmController, ...controllers],
    providers: [Accounts, Scripts, ...providers],
  })
  class BankModule {}

  const app = await NestFactory.create(BankModule, adapters[adapter](), { logger: false });
  app.connectMicroservice<MicroserviceOptions>(
    {
      transport: Transport.GRPC,
      options: {
        package: ['bank', 'workflow'],
        packageDefinition: { 'bank.Bank': Bank, 'workflow.Workflow': workflowService },
        url: grpcAddress,
        gracefulShutdown: true,
      },
    },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  await app.listen(httpPort, '127.0.0.1');
  let accounts = 0;
  return {
    app,
    dataSource,
    grpcAddress,
    dtm: app.get(DtmService),
    scripts: app.get(Scripts),
    http: await app.getUrl(),
    account: async (balance) => {
      const name = `a${++accounts}-${port}`;
      await dataSource.query('INSERT INTO account (name, balance) VALUES (?, ?)', [name, balance]);
      return name;
    },
    state: async (account) =>
      (await dataSource.query('SELECT balance, hits FROM account WHERE name = ?', [account]))[0],
    barrierRows: async (gid) => {
      const rows: { branch_id: string; op: string; reason: string }[] = await dataSource.query(
        'SELECT branch_id, op, reason FROM barrier WHERE gid = ? ORDER BY branch_id, op',
        [gid],
      );
      return rows.map((row) => `${row.branch_id} ${row.op} ${row.reason}`);
    },
    close: () => app.close(),
  };
}
