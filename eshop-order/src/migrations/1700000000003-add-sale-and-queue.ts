import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Orders of flash sales, orders that wait in the queue, and keys under which a client may repeat a submit. */
export class AddSaleAndQueue1700000000003 implements MigrationInterface {
  readonly name = 'AddSaleAndQueue1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE order_record
        ADD COLUMN sale_id bigint unsigned NOT NULL DEFAULT 0 COMMENT 'flash sale, 0 = none' AFTER coupon_amount`);
    await runner.query(`
      ALTER TABLE order_submission
        MODIFY COLUMN state tinyint unsigned NOT NULL COMMENT '0 pending, 1 placed, 2 cancelled, 3 queued',
        ADD COLUMN sale_id bigint unsigned NOT NULL DEFAULT 0 COMMENT 'flash sale, 0 = none' AFTER coupon_amount,
        ADD COLUMN started boolean NOT NULL DEFAULT TRUE COMMENT 'a saga is to carry it out, or has' AFTER state,
        ADD COLUMN request_hash binary(32) NULL COMMENT 'SHA-256 of what was asked for; NULL = not needed' AFTER request_id,
        ADD COLUMN idem_scope tinyint unsigned NULL COMMENT '1 Submit, 2 SendSubmitOrderNotify' AFTER request_hash,
        ADD COLUMN idem_key varbinary(128) NULL COMMENT 'Idempotency-Key; bytes, so that case and blanks count' AFTER idem_scope,
        ADD UNIQUE KEY idempotency (idem_scope, idem_key),
        ADD KEY sale_id (sale_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE order_record DROP COLUMN sale_id');
    await runner.query(`
      ALTER TABLE order_submission
        DROP KEY idempotency, DROP KEY sale_id,
        DROP COLUMN sale_id, DROP COLUMN request_hash, DROP COLUMN started, DROP COLUMN idem_scope, DROP COLUMN idem_key`);
  }
}
