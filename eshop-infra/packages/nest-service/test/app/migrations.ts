import type { MigrationInterface, QueryRunner } from 'typeorm';

const TIMES = `created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  updated_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)`;

export class CreateStock1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE stock (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id bigint unsigned NOT NULL UNIQUE,
  stock int unsigned NOT NULL,
  hidden varchar(8) NOT NULL DEFAULT 'hidden',
  ${TIMES}
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stock');
  }
}

export class CreateNote1763800000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE note (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  note_title varchar(32) NOT NULL,
  size int unsigned NOT NULL,
  version int unsigned NOT NULL DEFAULT 1,
  ${TIMES},
  deleted_at datetime(3) NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE note');
  }
}

export const migrations = [CreateStock1763800000000, CreateNote1763800000001];
