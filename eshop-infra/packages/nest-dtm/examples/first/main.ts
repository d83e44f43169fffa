import 'reflect-metadata';
import {
  compensable,
  DtmAction,
  DtmBranches,
  DtmCompensation,
  DtmModule,
  DtmService,
  httpBranch,
  Refusal,
  type SubmitResult,
} from '@eshop/nest-dtm';
import { barrierMigration, LocalTransaction, mysqlBarrier } from '@eshop/nest-dtm/mysql';
import { Body, Controller, Get, Global, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';

const {
  PORT = '3000',
  DTM_HTTP = 'http://127.0.0.1:36789',
  DTM_SECRET = 'at least sixteen characters',
  MYSQL_URL = 'mysql://root@127.0.0.1:3306/bank',
} = process.env;

/** What DTM carries to an action, and to its compensation. */
interface Booking {
  account: string;
  cents: number;
}

/** Each action with what takes it back, at the address where the DTM server reaches this application. */
const at = (path: string) => httpBranch<Booking>(`http://127.0.0.1:${PORT}/bank/${path}`);
const Withdrawal = compensable(at('withdraw'), at('withdraw-revert'));
const Deposit = compensable(at('deposit'), at('deposit-revert'));

/** The submitter. The id comes from the client, so that a request may be repeated: one transfer, and the same answer. */
@Controller('transfers')
class TransferController {
  constructor(private readonly dtm: DtmService) {}

  @Post(':id')
  transfer(
    @Param('id') id: string,
    @Body() { from, to, cents }: { from: string; to: string; cents: number },
  ): Promise<SubmitResult> {
    return this.dtm
      .saga(id)
      .step(Withdrawal, { account: from, cents })
      .step(Deposit, { account: to, cents })
      .submit({ waitResult: true });
  }
}

/** The branches: signed calls only, each in one transaction with its barrier row, so that it takes effect once. */
@Controller('bank')
@DtmBranches()
class BankController {
  constructor(private readonly tx: LocalTransaction) {}

  @Post('withdraw')
  @DtmAction(Withdrawal)
  async withdraw(@Body() { account, cents }: Booking): Promise<void> {
    const { affectedRows } = await this.tx.execute(
      'UPDATE account SET cents = cents - ? WHERE name = ? AND cents >= ?',
      [cents, account, cents],
    );
    if (affectedRows === 0) throw new Refusal(`${account} has not enough`); // rolls the whole saga back
  }

  @Post('withdraw-revert')
  @DtmCompensation(Withdrawal)
  async withdrawRevert(@Body() { account, cents }: Booking): Promise<void> {
    await this.tx.execute('UPDATE account SET cents = cents + ? WHERE name = ?', [cents, account]);
  }

  @Post('deposit')
  @DtmAction(Deposit)
  async deposit(@Body() { account, cents }: Booking): Promise<void> {
    const sql = 'UPDATE account SET cents = cents + ? WHERE name = ?';
    const { affectedRows } = await this.tx.execute(sql, [cents, account]);
    if (affectedRows === 0) throw new Refusal(`there is no account ${account}`);
  }

  @Post('deposit-revert')
  @DtmCompensation(Deposit)
  async depositRevert(@Body() { account, cents }: Booking): Promise<void> {
    await this.tx.execute('UPDATE account SET cents = cents - ? WHERE name = ?', [cents, account]);
  }
}

@Controller('accounts')
class AccountController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  list(): Promise<{ name: string; cents: number }[]> {
    return this.dataSource.query('SELECT name, cents FROM account ORDER BY name');
  }
}

class CreateAccounts1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE account (name varchar(64) PRIMARY KEY, cents int NOT NULL)');
    await runner.query("INSERT INTO account VALUES ('ann', 1000), ('bob', 0)");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE account');
  }
}

/** The barrier's table stands in the application's own database. */
const migrations = [barrierMigration, CreateAccounts1700000000002];

@Global()
@Module({
  providers: [
    {
      provide: DataSource,
      useFactory: () => new DataSource({ type: 'mysql', url: MYSQL_URL, migrations, migrationsRun: true }).initialize(),
    },
  ],
  exports: [DataSource],
})
class DatabaseModule {}

@Module({
  imports: [
    DatabaseModule,
    DtmModule.forRootAsync({
      inject: [DataSource],
      useFactory: (dataSource: DataSource) => ({
        servers: { default: { http: DTM_HTTP, protocol: 'http' } },
        signature: { keys: [{ id: 'k1', secret: DTM_SECRET }] },
        barrier: mysqlBarrier(dataSource),
      }),
    }),
  ],
  controllers: [TransferController, BankController, AccountController],
})
class AppModule {}

async function bootstrap(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  app.enableShutdownHooks();
  await app.listen(PORT);
}
void bootstrap();
