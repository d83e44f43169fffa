import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The barrier table of DTM's own clients (`sqls/dtmcli.barrier.mysql.sql`), in the service's database. */
export class CreateBarrierTable1700000000000 implements MigrationInterface {
  readonly name = 'CreateBarrierTable1700000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS barrier (
        id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
        trans_type varchar(45) NOT NULL DEFAULT '',
        gid varchar(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
        branch_id varchar(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
        op varchar(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
        barrier_id varchar(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
        reason varchar(45) NOT NULL DEFAULT '' COMMENT 'the op that inserted this row',
        create_time datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        update_time datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        UNIQUE KEY uniq_barrier (gid, branch_id, op, barrier_id),
        KEY create_time (create_time)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE barrier');
  }
}

/** Add to the DataSource's `migrations`. */
export const barrierMigration = CreateBarrierTable1700000000000;
