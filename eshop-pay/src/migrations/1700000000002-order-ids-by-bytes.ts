import { alterTable, binaryCollation } from '@eshop/nest-service/mysql';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An order is found under its own id only: neither case nor a trailing blank is overlooked. Releases before work on it as well. Runs twice
 * without harm; the server copies the table the first time, and writers wait as long.
 */
export class OrderIDsByBytes1700000000002 implements MigrationInterface {
  readonly name = 'OrderIDsByBytes1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    const collation = await binaryCollation(runner);
    await alterTable(runner, `ALTER TABLE pay MODIFY order_id varchar(45) ${collation} NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await alterTable(
      runner,
      `ALTER TABLE pay MODIFY order_id varchar(45) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL`,
    );
  }
}
