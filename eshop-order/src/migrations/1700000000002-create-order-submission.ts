import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Accepted orders, each written before its id is given out. */
export class CreateOrderSubmission1700000000002 implements MigrationInterface {
  readonly name = 'CreateOrderSubmission1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE order_submission (
        order_id varchar(45) NOT NULL PRIMARY KEY,
        user_id bigint unsigned NOT NULL,
        product_id bigint unsigned NOT NULL,
        product_count int unsigned NOT NULL,
        amount int unsigned NOT NULL,
        coupon_id bigint unsigned NOT NULL,
        price int unsigned NULL,
        coupon_amount int unsigned NOT NULL,
        state tinyint unsigned NOT NULL COMMENT '0 pending, 1 placed, 2 cancelled',
        reason varchar(255) NOT NULL COMMENT 'why it was cancelled',
        request_id varchar(128) NOT NULL,
        attempts int unsigned NOT NULL DEFAULT 0 COMMENT 'of the relay',
        created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        finished_at datetime(3) NULL,
        next_attempt_at datetime(3) NOT NULL COMMENT 'when the relay takes it up if it still is pending',
        KEY due (state, next_attempt_at)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE order_submission');
  }
}
