import { type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { CONFIG } from '../config/index.js';
import { Readiness } from '../health/readiness.js';
import { dataSourceOptions, type MysqlSchema, openDatabase } from './data-source.js';
import type { MysqlConfig } from './section.js';
import { Sql } from './sql.js';
import { assertPoolTakesWrites } from './takes-writes.js';

/** The service's own database: connection, migrations at start, repositories, {@link Sql}, readiness. */
@Module({})
export class MysqlModule implements OnModuleInit {
  constructor(
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(DataSource) private readonly source: DataSource,
  ) {}

  /** Needs the section `mysql` (see `mysqlSection`) in the service's configuration. */
  static forRoot(schema: MysqlSchema): DynamicModule {
    const repositories = TypeOrmModule.forFeature([...schema.entities]);
    let config: MysqlConfig;
    return {
      module: MysqlModule,
      global: true,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [CONFIG],
          useFactory: ({ mysql }: { mysql: MysqlConfig }) => {
            config = mysql;
            // Waiting for the server is done here, where it can tell "not yet" from "never".
            return { ...dataSourceOptions(mysql, schema), toRetry: () => false };
          },
          dataSourceFactory: () => openDatabase(config, dataSourceOptions(config, schema)),
        }),
        repositories,
      ],
      providers: [{ provide: Sql, inject: [DataSource], useFactory: (source: DataSource) => new Sql(source) }],
      exports: [repositories, Sql],
    };
  }

  onModuleInit(): void {
    this.readiness.register({ name: 'mysql', check: () => assertPoolTakesWrites(this.source) });
  }
}
