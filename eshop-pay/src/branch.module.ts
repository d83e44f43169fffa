import { DtmModule } from '@eshop/nest-dtm';
import { mysqlBarrier } from '@eshop/nest-dtm/mysql';
import { CONFIG } from '@eshop/nest-service';
import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Config } from './config.js';

/** DTM as this service needs it: it serves branches, and starts no transaction of its own. */
@Module({
  imports: [
    DtmModule.forRootAsync({
      inject: [CONFIG, DataSource],
      useFactory: ({ dtm }: Config, dataSource: DataSource) => ({
        servers: {},
        signature: { keys: [{ id: 'k1', secret: dtm.secret }] },
        barrier: mysqlBarrier(dataSource, { groupSize: 16 }),
      }),
    }),
  ],
})
export class BranchModule {}
