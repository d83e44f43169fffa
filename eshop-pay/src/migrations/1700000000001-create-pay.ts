import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments, one an order. */
export class CreatePay1700000000001 implements MigrationInterface {
  readonly name = 'CreatePay1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE pay (
        id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        user_id bigint unsigned NOT NULL,
        order_id varchar(45) NOT NULL,
        amount int unsigned NOT NULL COMMENT 'cents',
        status int unsigned NOT NULL COMMENT '1 awaiting payment, 2 paid, 4 cancelled',
        created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        updated_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        UNIQUE KEY order_id (order_id),
        KEY user_id (user_id)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE pay');
  }
}
