import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Coupons; a user may own many. */
export class CreateCoupon1700000000001 implements MigrationInterface {
  readonly name = 'CreateCoupon1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE coupon (
        id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        user_id bigint unsigned NOT NULL,
        amount int unsigned NOT NULL COMMENT 'value, cents',
        status int unsigned NOT NULL COMMENT '1 unused, 2 used, 3 expired',
        order_id varchar(45) NOT NULL DEFAULT '' COMMENT 'the order that holds it',
        created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        updated_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        KEY user_id (user_id, status)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE coupon');
  }
}
