import type { MigrationInterface, QueryRunner } from 'typeorm';
import { quoteTable } from './barrier-table.js';
import { idColumns, makeIdsBinary } from './binary-ids.js';

/**
 * The barrier table of DTM's own clients (`sqls/dtmcli.barrier.mysql.sql`), in the service's database; only that ids are compared byte
 * by byte here.
 */
export class CreateBarrierTable1700000000000 implements MigrationInterface {
  /** By which TypeORM remembers that it ran. */
  readonly name: string = 'CreateBarrierTable1700000000000';
  /** Name of the table. */
  protected readonly table: string = 'barrier';

  /** Creates the table unless it is there; one that is there gets the same columns for ids. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS ${quoteTable(this.table)} (
        id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
        trans_type varchar(45) NOT NULL DEFAULT '',
        ${await idColumns(runner)},
        reason varchar(45) NOT NULL DEFAULT '' COMMENT 'the op that inserted this row',
        create_time datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        update_time datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        UNIQUE KEY uniq_barrier (gid, branch_id, op, barrier_id),
        KEY create_time (create_time)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
    `);
    await makeIdsBinary(runner, this.table);
  }

  /** Drops the table, and with it the memory of what took effect. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE ${quoteTable(this.table)}`);
  }
}

/** Add to the DataSource's `migrations`. */
export const barrierMigration = CreateBarrierTable1700000000000;

/** The same for a table of another name. */
export function barrierMigrationFor(table: string): new () => MigrationInterface {
  return class extends CreateBarrierTable1700000000000 {
    override readonly name = `CreateBarrierTable_${table.replace(/\W/g, '_')}_1700000000000`;
    protected override readonly table = table;
  };
}
