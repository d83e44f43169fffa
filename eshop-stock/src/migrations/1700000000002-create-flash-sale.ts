import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Units set apart for a flash sale, and the terms they are sold on. */
export class CreateFlashSale1700000000002 implements MigrationInterface {
  readonly name = 'CreateFlashSale1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE stock
        ADD COLUMN allotted int unsigned NOT NULL DEFAULT 0 COMMENT 'units of stock that belong to the running sale',
        ADD COLUMN sale_id bigint unsigned NOT NULL DEFAULT 0 COMMENT 'the running sale, 0 = none',
        ADD COLUMN sale_version int unsigned NOT NULL DEFAULT 0 COMMENT 'changes of the sales of this product so far'`);
    await runner.query(`
      CREATE TABLE flash_sale (
        id bigint unsigned NOT NULL PRIMARY KEY,
        product_id bigint unsigned NOT NULL,
        units int unsigned NOT NULL COMMENT 'allotted over the whole life, less those taken back',
        limit_per_user int unsigned NOT NULL COMMENT '0 = none',
        opens_at datetime(3) NULL,
        closes_at datetime(3) NULL,
        version int unsigned NOT NULL,
        status tinyint unsigned NOT NULL COMMENT '1 running, 2 ended',
        created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        updated_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        KEY product (product_id, status, id)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE flash_sale');
    await runner.query('ALTER TABLE stock DROP COLUMN allotted, DROP COLUMN sale_id, DROP COLUMN sale_version');
  }
}
