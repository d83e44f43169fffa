import { Body, Controller, type INestApplication, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';
import type { DataSource } from 'typeorm';
import {
  CurrentBranch,
  compensable,
  DtmAction,
  DtmBranches,
  DtmCancel,
  DtmCompensation,
  DtmConfirm,
  DtmModule,
  type DtmModuleOptions,
  DtmService,
  DtmTry,
  DtmWorkflow,
  httpBranch,
  Refusal,
  tccBranch,
  type Workflow,
} from '../../src/index.js';
import { mysqlBarrier } from '../../src/mysql.js';
import { freePort } from '../../src/testing/index.js';
import { type AdapterName, adapters } from './adapters.js';
import { jsonMethod, Message, signature } from './bank.js';
import { env } from './env.js';

/** Payload of every branch of the wallet. */
export interface Sum {
  cents: number;
  /** What the action replies. */
  reply?: unknown;
}

/** As a reply: one that no JSON can carry. */
export const HOLDING_ITSELF = 'holding itself';
const holdingItself: { inner?: unknown } = {};
holdingItself.inner = holdingItself;

/** The wallet's service; a definition names methods as its proto file does, or with a small letter in front. */
export const Wallet = {
  pay: jsonMethod<Sum>('/wallet.Wallet/Pay'),
  PayBack: jsonMethod<Sum>('/wallet.Wallet/PayBack'),
  hold: jsonMethod<Sum>('/wallet.Wallet/Hold'),
  book: jsonMethod<Sum>('/wallet.Wallet/Book'),
  Release: jsonMethod<Sum>('/wallet.Wallet/Release'),
};

/** Used by the controller and by those who submit. */
export const Payment = compensable(Wallet.pay, Wallet.PayBack);

/** The same for a TCC. */
export const Hold = tccBranch(Wallet.hold, Wallet.book, Wallet.Release);

/** The same over HTTP. */
export function over(url: string) {
  const at = (path: string) => httpBranch<Sum>(`${url}/${path}`);
  return {
    Payment: compensable(at('pay'), at('pay-back')),
    Hold: tccBranch(at('hold'), at('book'), at('release')),
  };
}

/** Which handlers ran, as `gid/branch op handler`. */
@Injectable()
export class Ran {
  readonly handlers: string[] = [];
  /** Thrown by the actions of a gid, one each. */
  readonly errors = new Map<string, Error[]>();

  constructor(private readonly current: CurrentBranch) {}

  note(handler: string): void {
    const branch = this.current.branch;
    this.handlers.push(`${branch?.gid}/${branch?.branchId} ${branch?.op} ${handler}`);
    const error = this.errors.get(branch?.gid ?? '')?.shift();
    if (error) throw error;
  }

  of(gid: string): string[] {
    return this.handlers.filter((line) => line.startsWith(gid)).map((line) => line.slice(gid.length + 1));
  }
}

@Controller()
@DtmBranches()
class WalletBranches {
  constructor(private readonly ran: Ran) {}

  @DtmAction(Payment)
  @Post('pay')
  pay(@Message() { cents, reply }: Sum): unknown {
    this.ran.note('pay');
    if (cents > 100) throw new Refusal('too much');
    return reply === HOLDING_ITSELF ? holdingItself : reply;
  }

  @DtmCompensation(Payment)
  @Post('pay-back')
  payBack(): void {
    this.ran.note('payBack');
  }

  @DtmTry(Hold)
  @Post('hold')
  hold(@Message() { cents, reply }: Sum): unknown {
    this.ran.note('hold');
    if (cents > 100) throw new Refusal('too much');
    return reply;
  }

  @DtmConfirm(Hold)
  @Post('book')
  book(): void {
    this.ran.note('book');
  }

  @Post('release')
  @DtmCancel(Hold)
  release(@Body() _sum?: Sum): void {
    this.ran.note('release');
  }
}

/** Calls branches as its input says, and returns their replies. */
@DtmWorkflow('spend')
export class Spend {
  async run(workflow: Workflow, { steps }: { steps: SpendStep[] }): Promise<unknown> {
    const replies: unknown[] = [];
    for (const step of steps) {
      const { Payment: payment, Hold: hold } = step.at ? over(step.at) : { Payment, Hold };
      const sum = { cents: step.cents ?? 1, reply: step.reply };
      const reply = await (step.hold ? workflow.tcc(hold, sum) : workflow.branch(payment, sum));
      replies.push(reply === undefined ? 'none' : reply);
    }
    return replies;
  }
}

/** One step of the workflow: over HTTP where an address is given. */
export interface SpendStep {
  at?: string;
  hold?: boolean;
  cents?: number;
  reply?: unknown;
}

export interface WalletApp {
  app: INestApplication;
  dtm: DtmService;
  ran: Ran;
  grpcAddress: string;
  http: string;
  close(): Promise<void>;
}

/** A hybrid service whose methods are paired, and a submitter, on free ports. */
export async function startWallet(
  dataSource: DataSource,
  options: Partial<DtmModuleOptions> = {},
  adapter: AdapterName = 'fastify',
  providers: (new () => object)[] = [],
): Promise<WalletApp> {
  const grpcAddress = `127.0.0.1:${await freePort()}`;

  @Module({
    imports: [
      DtmModule.forRoot({
        servers: { default: { grpc: env.dtmGrpc, http: env.dtmHttp } },
        branches: { 'wallet.Wallet': grpcAddress },
        workflowCallback: httpBranch('http://127.0.0.1:1/nobody'),
        signature,
        branchSyncCheck: false,
        barrier: mysqlBarrier(dataSource),
        ...options,
      }),
    ],
    controllers: [WalletBranches],
    providers: [Ran, Spend, ...providers],
  })
  class WalletModule {}

  const app = await NestFactory.create(WalletModule, adapters[adapter](), { logger: false });
  app.connectMicroservice<MicroserviceOptions>(
    {
      transport: Transport.GRPC,
      options: { package: 'wallet', packageDefinition: { 'wallet.Wallet': Wallet }, url: grpcAddress },
    },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  return {
    app,
    dtm: app.get(DtmService),
    ran: app.get(Ran),
    grpcAddress,
    http: await app.getUrl(),
    close: () => app.close(),
  };
}
