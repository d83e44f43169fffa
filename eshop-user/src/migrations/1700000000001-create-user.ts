import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Users; the e-mail is unique among those not deleted. The collation is the oldest of Unicode that both MySQL and
 * MariaDB have and that tells characters outside of the basic plane apart.
 */
export class CreateUser1700000000001 implements MigrationInterface {
  readonly name = 'CreateUser1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE user (
        id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        name varchar(50) NOT NULL,
        password varchar(255) NOT NULL COMMENT 'scrypt hash',
        email varchar(50) NOT NULL,
        phone varchar(30) NOT NULL,
        avatar varchar(200) NOT NULL,
        age tinyint unsigned NOT NULL,
        gender tinyint unsigned NOT NULL COMMENT '1 male, 2 female, else unknown',
        status tinyint unsigned NOT NULL COMMENT '0 to verify, 1 normal, 2 banned',
        login_at bigint unsigned NOT NULL COMMENT 'epoch seconds',
        login_type tinyint unsigned NOT NULL COMMENT '1 web, 2 mobile, 3 desktop, 4 api',
        created_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        updated_at datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        deleted_at datetime(3) NULL,
        live_email varchar(50) AS (IF(deleted_at IS NULL, email, NULL)) STORED,
        UNIQUE KEY live_email (live_email),
        KEY deleted_at (deleted_at)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE user');
  }
}
