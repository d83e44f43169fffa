import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import {
  applyDecorators,
  Body,
  Controller,
  type INestApplication,
  Module,
  type ModuleMetadata,
  Post,
  Res,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { DtmBranches, DtmModule, Ongoing, Refusal } from '../../src/index.js';
import { DtmCaller, freePort } from '../../src/testing/index.js';
import { type AdapterName, adapters } from './adapters.js';
import { jsonMethod, Message, signature } from './bank.js';
import { gate } from './until.js';

/** What a test has a branch say. */
export type Word = 'yes' | 'no' | 'later' | 'broken' | 'slowly yes' | `no: ${string}`;

/** What is used of either framework's response. */
interface ByHand {
  status(code: number): ByHand;
  send(body: unknown): void;
}

export const Till = { sell: jsonMethod<{ say: Word }>('/till.Till/Sell') };

/** What surrounds the branch in an application. */
export interface Surroundings {
  providers?: ModuleMetadata['providers'];
  /** On the method itself. */
  around?: MethodDecorator[];
  configure?(app: INestApplication): void;
}

export interface TillApp {
  caller: DtmCaller;
  grpcAddress: string;
  /** Lets those go on who say yes slowly. */
  goOn(): void;
  /** How often the handler ran. */
  runs(): number;
  close(): Promise<void>;
}

/** A service with one branch on both transports that says what it is told to say. */
export async function startTill(
  adapter: AdapterName,
  { providers = [], around = [], configure }: Surroundings,
): Promise<TillApp> {
  const grpcAddress = `127.0.0.1:${await freePort()}`;
  const slowly = gate();
  let runs = 0;

  @Controller()
  @DtmBranches({ barrier: false })
  class TillController {
    @applyDecorators(...around)
    @GrpcMethod('till.Till', 'sell')
    @Post('sell')
    async sell(@Message() { say }: { say: Word }): Promise<object> {
      runs++;
      if (say === 'slowly yes') await slowly.opened;
      if (say === 'later') throw new Ongoing('not yet');
      if (say === 'broken') throw new Error('a bug');
      if (say.startsWith('no')) throw new Refusal(say);
      return { said: 'FAILURE' };
    }

    /** Answers by itself, while the branch is carried out. */
    @Post('sellByHand')
    async sellByHand(@Body() { say }: { say: Word }, @Res() response: ByHand): Promise<void> {
      response.status(202).send({ say: 'by hand' });
      if (say !== 'yes') throw new Refusal(say);
    }
  }

  @Module({
    imports: [DtmModule.forRoot({ servers: {}, signature })],
    controllers: [TillController],
    providers,
  })
  class TillModule {}

  const app = await NestFactory.create(TillModule, adapters[adapter](), { logger: false });
  configure?.(app);
  app.connectMicroservice<MicroserviceOptions>(
    {
      transport: Transport.GRPC,
      options: { package: 'till', packageDefinition: { 'till.Till': Till }, url: grpcAddress },
    },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const caller = new DtmCaller({ signature, grpcAddress, http: await app.getUrl() });
  return {
    caller,
    grpcAddress,
    goOn: slowly.open,
    runs: () => runs,
    close: async () => {
      slowly.open();
      caller.close();
      await app.close();
    },
  };
}

/** Middleware that answers 200 to everything, by the response's own methods. */
export function always200(app: INestApplication): void {
  const wrap = (response: ServerResponse): void => {
    const { writeHead, end } = response;
    response.writeHead = ((_: number, ...more: [never]) => writeHead.call(response, 200, ...more)) as typeof writeHead;
    response.end = ((...args: unknown[]) => {
      response.statusCode = 200;
      return Reflect.apply(end, response, args);
    }) as typeof end;
  };
  if (app.getHttpAdapter().getType() === 'fastify')
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', async (_: unknown, reply: { raw: ServerResponse }) => wrap(reply.raw));
  else
    app.use((_: unknown, response: ServerResponse, next: () => void) => {
      wrap(response);
      next();
    });
}

/** Compresses every body, by the means of each framework. */
export function compress(app: INestApplication): void {
  const server = app.getHttpAdapter().getInstance();
  if (app.getHttpAdapter().getType() === 'fastify') {
    server.addHook('onSend', async (_: unknown, reply: { header(name: string, value: string): void }, body: string) => {
      reply.header('content-encoding', 'gzip');
      return gzipSync(body);
    });
    return;
  }
  // As the middleware of that name does it: around the response's own methods.
  app.use((_: unknown, response: ServerResponse, next: () => void) => {
    const { end } = response;
    response.end = ((chunk?: string | Buffer) => {
      const body = gzipSync(chunk ?? '');
      response.removeHeader('content-length');
      response.setHeader('content-encoding', 'gzip');
      return end.call(response, body, 'utf8');
    }) as typeof response.end;
    next();
  });
}
