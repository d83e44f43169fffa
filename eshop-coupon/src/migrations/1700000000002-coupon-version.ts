import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Counts the changes of each row, so that an update can say which state it was made for. */
export class CouponVersion1700000000002 implements MigrationInterface {
  readonly name = 'CouponVersion1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE coupon ADD COLUMN version int unsigned NOT NULL DEFAULT 1');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE coupon DROP COLUMN version');
  }
}
