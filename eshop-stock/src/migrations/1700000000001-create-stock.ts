import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Units in stock, one row a product. */
export class CreateStock1700000000001 implements MigrationInterface {
  readonly name = 'CreateStock1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE stock (
        id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        product_id bigint unsigned NOT NULL,
        stock int unsigned NOT NULL COMMENT 'units that can be ordered',
        initial int unsigned NOT NULL COMMENT 'units ever supplied: stock and the units of live orders',
        created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        updated_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        UNIQUE KEY product_id (product_id)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stock');
  }
}
