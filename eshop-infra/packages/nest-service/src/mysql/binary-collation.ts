import type { QueryRunner } from 'typeorm';

/** By server: MySQL's and MariaDB's binary collation of utf8mb4 that does not pad. `utf8mb4_bin` of both takes `'a '` for `'a'`. */
const COLLATIONS = ['utf8mb4_0900_bin', 'utf8mb4_nopad_bin'];

/**
 * For columns of a migration that hold ids: the character set and the collation with which texts are equal when their bytes are,
 * so that neither case, nor accents, nor a trailing blank is overlooked: `order_id varchar(45) ${await binaryCollation(runner)} NOT NULL`.
 */
export async function binaryCollation(runner: QueryRunner): Promise<string> {
  const rows: { name: string }[] = await runner.query(
    'SELECT COLLATION_NAME AS name FROM information_schema.COLLATIONS WHERE COLLATION_NAME IN (?)',
    [COLLATIONS],
  );
  const [found] = rows;
  if (!found) throw new Error(`the database server has none of the collations ${COLLATIONS.join(', ')}`);
  return `CHARACTER SET utf8mb4 COLLATE ${found.name}`;
}
