import { Body, Controller, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { DtmBranches, DtmModule } from '../src/index.js';
import { barrierMigration, LocalTransaction, mysqlBarrier } from '../src/mysql.js';
import { signature } from './servers.js';
import { type Booking, Plain, Till } from './till.js';

/** What the benchmark tells its branch process, and what that answers. */
export type Question = 'cpu';
export type Answer = { up: { grpc: string; http: string } } | { cpuMicroseconds: number };

const UPDATE = 'UPDATE till SET cents = cents + ? WHERE id = ?';

/** Branches with a barrier and one update each. */
@Controller('till')
@DtmBranches()
class TillController {
  constructor(private readonly tx: LocalTransaction) {}

  @GrpcMethod('bench.Till', 'book')
  @Post('book')
  async book(@Body() { till, cents }: Booking): Promise<object> {
    await this.tx.execute(UPDATE, [cents, till]);
    return {};
  }

  @GrpcMethod('bench.Till', 'unbook')
  @Post('unbook')
  async unbook(@Body() { till, cents }: Booking): Promise<object> {
    await this.tx.execute(UPDATE, [-cents, till]);
    return {};
  }
}

/** Branches that do nothing: what DTM and the transport cost. */
@Controller('plain')
class PlainController {
  @GrpcMethod('bench.Plain', 'book')
  @Post('book')
  @HttpCode(200)
  book(): object {
    return {};
  }

  @GrpcMethod('bench.Plain', 'unbook')
  @Post('unbook')
  @HttpCode(200)
  unbook(): object {
    return {};
  }
}

async function start(databaseUrl: string, groupSize: number, port: number): Promise<void> {
  const dataSource = await new DataSource({
    type: 'mysql',
    url: databaseUrl,
    poolSize: 8,
    migrations: [barrierMigration],
    migrationsRun: true,
  }).initialize();

  @Module({
    imports: [DtmModule.forRoot({ servers: {}, signature, barrier: mysqlBarrier(dataSource, { groupSize }) })],
    controllers: [TillController, PlainController],
  })
  class BenchModule {}

  const app = await NestFactory.create<NestFastifyApplication>(BenchModule, new FastifyAdapter(), {
    logger: ['error'],
  });
  const grpc = `127.0.0.1:${port}`;
  app.connectMicroservice<MicroserviceOptions>(
    {
      transport: Transport.GRPC,
      options: { package: 'bench', packageDefinition: { 'bench.Till': Till, 'bench.Plain': Plain }, url: grpc },
    },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const tell = (answer: Answer): void => void process.send?.(answer);
  process.on('message', (question: Question) => {
    const { user, system } = process.cpuUsage();
    if (question === 'cpu') tell({ cpuMicroseconds: user + system });
  });
  process.on('disconnect', () => process.exit());
  tell({ up: { grpc, http: await app.getUrl() } });
}

const [databaseUrl = '', groupSize = '1', port = '0'] = process.argv.slice(2);
await start(databaseUrl, Number(groupSize), Number(port));
