import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Counts the changes of each row, so that an update can say which state it was made for. */
export class ProductVersion1700000000002 implements MigrationInterface {
  readonly name = 'ProductVersion1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE product ADD COLUMN version int unsigned NOT NULL DEFAULT 1');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE product DROP COLUMN version');
  }
}
