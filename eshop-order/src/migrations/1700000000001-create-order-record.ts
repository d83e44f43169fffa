import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Order rows, as the saga's first branch enters them. */
export class CreateOrderRecord1700000000001 implements MigrationInterface {
  readonly name = 'CreateOrderRecord1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE order_record (
        id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        order_id varchar(45) NOT NULL,
        user_id bigint unsigned NOT NULL,
        product_id bigint unsigned NOT NULL,
        product_count int unsigned NOT NULL,
        amount int unsigned NOT NULL COMMENT 'to pay, cents',
        coupon_id bigint unsigned NOT NULL COMMENT '0 = none',
        price int unsigned NULL COMMENT 'unit price at acceptance, cents; NULL = amount as given by the client',
        coupon_amount int unsigned NOT NULL DEFAULT 0 COMMENT 'value of the coupon, cents',
        status int unsigned NOT NULL COMMENT '1 to pay, 2 to ship, 3 to receive, 4 completed, 5 cancelled',
        created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        updated_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        UNIQUE KEY order_id (order_id),
        KEY user_id (user_id),
        KEY product_id (product_id)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE order_record');
  }
}
