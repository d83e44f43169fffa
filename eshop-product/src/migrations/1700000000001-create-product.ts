import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Products; a deleted one stays for the orders that name it. The collation is the oldest of Unicode that both MySQL and
 * MariaDB have and that tells characters outside of the basic plane apart.
 */
export class CreateProduct1700000000001 implements MigrationInterface {
  readonly name = 'CreateProduct1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE product (
        id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        name varchar(255) NOT NULL,
        price int NOT NULL COMMENT 'cents',
        photo varchar(255) NOT NULL,
        description text NOT NULL,
        created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        updated_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        deleted_at datetime(3) NULL,
        KEY deleted_at (deleted_at)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE product');
  }
}
