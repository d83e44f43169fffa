import { once } from 'node:events';
import { createServer } from 'node:net';
import { ContractError } from '@eshop/proto';
import { stockContract } from '@eshop/proto/stock';
import { Client, credentials, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { type ArgumentsHost, Catch, type ExceptionFilter, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, RpcException, Transport } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { throwError } from 'rxjs';
import { StockController, StockSagaController } from './stock-controllers.ts';

interface FastifyReply {
  status(code: number): FastifyReply;
  send(body: object): void;
}

/** The least that a service's filter does: enough to compare both transports. */
@Catch(ContractError)
class ContractErrorFilter implements ExceptionFilter {
  catch(error: ContractError, host: ArgumentsHost) {
    const { code, violations } = error;
    if (host.getType() === 'rpc') {
      return throwError(() =>
        new RpcException({ code: error.grpcStatus, message: JSON.stringify({ code, violations }) }).getError(),
      );
    }
    host.switchToHttp().getResponse<FastifyReply>().status(error.httpStatus).send({ code, violations });
    return undefined;
  }
}

@Module({ controllers: [StockController, StockSagaController] })
class AppModule {}

export interface HybridApp {
  readonly app: INestApplication;
  readonly http: string;
  /** Sends bytes as the request of a method. */
  callRaw(key: string, bytes: Buffer): Promise<object>;
  call<Request, Reply>(method: MethodDefinition<Request, Reply>, request: Request): Promise<Reply>;
  close(): Promise<void>;
}

/** Below the ports that systems take for outgoing connections, so that none of those can get it first. */
async function freePort(tries = 100): Promise<number> {
  const port = 10_000 + Math.floor(Math.random() * 22_768);
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (tries <= 1) throw error;
    return freePort(tries - 1);
  }
  server.close();
  await once(server, 'close');
  return port;
}

/** A stock service on Fastify and gRPC. */
export async function startHybridApp(): Promise<HybridApp> {
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
  app.useGlobalFilters(new ContractErrorFilter());
  const address = `127.0.0.1:${await freePort()}`;
  const { fullName, definition } = stockContract;
  app.connectMicroservice<MicroserviceOptions>(
    {
      transport: Transport.GRPC,
      options: { url: address, package: stockContract.package, packageDefinition: { [fullName]: definition ?? {} } },
    },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const client = new Client(address, credentials.createInsecure());
  const unary = <Request, Reply>(
    path: string,
    serialize: (request: Request) => Buffer,
    deserialize: (bytes: Buffer) => Reply,
    request: Request,
  ): Promise<Reply> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, serialize, deserialize, request, (error: ServiceError | null, reply?: Reply) =>
        error ? reject(error) : resolve(reply as Reply),
      );
    });
  return {
    app,
    http: await app.getUrl(),
    callRaw: (key, bytes) => {
      const path = stockContract.methods.find((method) => method.key === key)?.path ?? '';
      return unary<Buffer, object>(
        path,
        (request) => request,
        () => ({}),
        bytes,
      );
    },
    call: (method, request) => unary(method.path, method.requestSerialize, method.responseDeserialize, request),
    close: async () => {
      client.close();
      await app.close();
    },
  };
}
