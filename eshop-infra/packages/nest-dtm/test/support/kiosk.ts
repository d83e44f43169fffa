import { Controller, Get, HttpCode, type INestApplication, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import {
  type Barrier,
  DtmBackCheck,
  DtmBranches,
  DtmModule,
  type DtmModuleOptions,
  DtmService,
} from '../../src/index.js';
import { type RedisScript, RedisTransaction } from '../../src/redis.js';
import { freePort } from '../../src/testing/index.js';
import { type AdapterName, adapters } from './adapters.js';
import { jsonMethod, Message, signature } from './bank.js';
import { env } from './env.js';

/** Payload of every branch of the kiosk. */
export interface Take {
  key: string;
  amount: number;
}

export const Kiosk = {
  take: jsonMethod<Take>('/kiosk.Kiosk/Take'),
  takeRevert: jsonMethod<Take>('/kiosk.Kiosk/TakeRevert'),
  takeConfirm: jsonMethod<Take>('/kiosk.Kiosk/TakeConfirm'),
  bare: jsonMethod<Take>('/kiosk.Kiosk/Bare'),
  asked: jsonMethod<object>('/kiosk.Kiosk/Asked'),
};

/** Takes `amount` from a counter; a hash beside it counts how often each op took effect. */
const TAKE = `local left = tonumber(redis.call('GET', KEYS[1]) or '0')
if left < tonumber(ARGV[1]) then return refuse('only ' .. left .. ' left') end
redis.call('HINCRBY', KEYS[2], op, 1)
return redis.call('DECRBY', KEYS[1], ARGV[1])`;

const TAKE_REVERT = `if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
redis.call('HINCRBY', KEYS[2], op, 1)
return redis.call('INCRBY', KEYS[1], ARGV[1])`;

const TAKE_CONFIRM = "redis.call('HINCRBY', KEYS[2], op, 1)";

export function take({ key, amount }: Take): RedisScript {
  return { keys: [key, `${key}:hits`], args: [amount], script: TAKE };
}

/** What a test makes a handler do. By key. */
@Injectable()
export class Twists {
  readonly #twists = new Map<string, (tx: RedisTransaction, take: Take) => Promise<unknown> | unknown>();
  /** What `run` gave back, per call. */
  readonly values: unknown[] = [];

  on(key: string, twist: (tx: RedisTransaction, take: Take) => Promise<unknown> | unknown): void {
    this.#twists.set(key, twist);
  }

  off(key: string): void {
    this.#twists.delete(key);
  }

  of(key: string) {
    return this.#twists.get(key);
  }
}

@Controller()
@DtmBranches({ barrier: 'redis' })
class KioskSagaController {
  constructor(
    private readonly tx: RedisTransaction,
    private readonly twists: Twists,
  ) {}

  @GrpcMethod('kiosk.Kiosk', 'take')
  @Post('take')
  async take(@Message() message: Take): Promise<object> {
    const twist = this.twists.of(message.key);
    if (twist) await twist(this.tx, message);
    else this.twists.values.push(await this.tx.run(take(message)));
    return {};
  }

  @GrpcMethod('kiosk.Kiosk', 'takeRevert')
  @Post('takeRevert')
  async takeRevert(@Message() message: Take): Promise<object> {
    await this.tx.run({ ...take(message), script: TAKE_REVERT });
    return {};
  }

  @GrpcMethod('kiosk.Kiosk', 'takeConfirm')
  @Post('takeConfirm')
  async takeConfirm(@Message() message: Take): Promise<object> {
    await this.tx.run({ ...take(message), script: TAKE_CONFIRM });
    return {};
  }

  @DtmBackCheck({ barrier: 'redis' })
  @GrpcMethod('kiosk.Kiosk', 'asked')
  @Get('asked')
  asked(): never {
    throw new Error('the body of a back-check does not run');
  }
}

@Controller()
@DtmBranches({ barrier: false })
class BareController {
  constructor(private readonly twists: Twists) {}

  @GrpcMethod('kiosk.Kiosk', 'bare')
  @Post('bare')
  @HttpCode(204)
  async bare(@Message() message: Take): Promise<object> {
    this.twists.values.push(message.key);
    return {};
  }
}

export interface KioskApp {
  app: INestApplication;
  dtm: DtmService;
  twists: Twists;
  grpcAddress: string;
  http: string;
  close(): Promise<void>;
}

/** A hybrid service whose branches work in Redis, and a submitter, on free ports. */
export async function startKiosk(
  barrier: Barrier,
  options: Partial<DtmModuleOptions> = {},
  adapter: AdapterName = 'fastify',
): Promise<KioskApp> {
  const grpcAddress = `127.0.0.1:${await freePort()}`;

  @Module({
    imports: [
      DtmModule.forRoot({
        servers: { default: { grpc: env.dtmGrpc, http: env.dtmHttp } },
        branches: { 'kiosk.Kiosk': grpcAddress },
        signature,
        branchSyncCheck: false,
        barrier: { redis: barrier },
        ...options,
      }),
    ],
    controllers: [KioskSagaController, BareController],
    providers: [Twists],
  })
  class KioskModule {}

  const app = await NestFactory.create(KioskModule, adapters[adapter](), { logger: false });
  app.connectMicroservice<MicroserviceOptions>(
    {
      transport: Transport.GRPC,
      options: { package: 'kiosk', packageDefinition: { 'kiosk.Kiosk': Kiosk }, url: grpcAddress },
    },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  return {
    app,
    dtm: app.get(DtmService),
    twists: app.get(Twists),
    grpcAddress,
    http: await app.getUrl(),
    close: () => app.close(),
  };
}
