import type { MigrationInterface, QueryRunner } from 'typeorm';
import { quoteTable } from './barrier-table.js';

/** The columns that make a barrier row unique. */
const ID_COLUMNS = { gid: 'varchar(128)', branch_id: 'varchar(128)', op: 'varchar(45)', barrier_id: 'varchar(45)' };

/** MySQL's and MariaDB's binary collation that does not pad; `utf8mb4_bin` of both takes `'a '` for `'a'`. */
const COLLATIONS = ['utf8mb4_0900_bin', 'utf8mb4_nopad_bin'];

interface Column {
  name: keyof typeof ID_COLUMNS;
  nullable: 'YES' | 'NO';
  collation: string;
}

/** The collation with which ids are equal when their bytes are, by server. Those before MySQL 8.0.17 and MariaDB 10.2 have none that does not pad. */
async function binaryCollation(runner: QueryRunner): Promise<{ charset: string; collation: string }> {
  const [found]: { name: string }[] = await runner.query(
    'SELECT COLLATION_NAME AS name FROM information_schema.COLLATIONS WHERE COLLATION_NAME IN (?)',
    [COLLATIONS],
  );
  return found ? { charset: 'utf8mb4', collation: found.name } : { charset: 'ascii', collation: 'ascii_bin' };
}

/** The definitions of the id columns of a new table. */
export async function idColumns(runner: QueryRunner): Promise<string> {
  const { charset, collation } = await binaryCollation(runner);
  return Object.entries(ID_COLUMNS)
    .map(([name, type]) => `${name} ${type} CHARACTER SET ${charset} COLLATE ${collation} NOT NULL DEFAULT ''`)
    .join(', ');
}

/** Gives the id columns of a table that is there the same collation, where they have another; nothing else of them changes. */
export async function makeIdsBinary(runner: QueryRunner, table: string): Promise<void> {
  const { charset, collation } = await binaryCollation(runner);
  const [name, schema] = table.split('.').reverse();
  const columns: Column[] = await runner.query(
    `SELECT COLUMN_NAME AS name, IS_NULLABLE AS nullable, COLLATION_NAME AS collation FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND COLUMN_NAME IN (?)`,
    [schema ?? null, name, Object.keys(ID_COLUMNS)],
  );
  const changes = columns
    .filter((column) => column.collation !== collation)
    .map((column) => {
      const required = column.nullable === 'NO' ? 'NOT NULL ' : '';
      return `MODIFY ${column.name} ${ID_COLUMNS[column.name]} CHARACTER SET ${charset} COLLATE ${collation} ${required}DEFAULT ''`;
    });
  if (changes.length > 0) await runner.query(`ALTER TABLE ${quoteTable(table)} ${changes.join(', ')}`);
}

/**
 * Has the ids of a barrier table compared byte by byte. A table of a release before, or of another client of DTM, overlooks a trailing
 * blank, and one of DTM's own script also case: what belongs to one transaction then counts for another. The server copies the table.
 */
export class BinaryBarrierIds1700000000003 implements MigrationInterface {
  /** By which TypeORM remembers that it ran. */
  readonly name: string = 'BinaryBarrierIds1700000000003';
  /** Name of the table. */
  protected readonly table: string = 'barrier';

  /** Changes the columns that have another collation. */
  async up(runner: QueryRunner): Promise<void> {
    await makeIdsBinary(runner, this.table);
  }

  /** Nothing: releases before work on the table as it is, and rows that differ in a blank could not be brought back under one key. */
  async down(): Promise<void> {}
}

/** Add to the DataSource's `migrations`, behind `barrierMigration`, where a table of a release before may be. */
export const barrierIdsMigration = BinaryBarrierIds1700000000003;

/** The same for a table of another name. */
export function barrierIdsMigrationFor(table: string): new () => MigrationInterface {
  return class extends BinaryBarrierIds1700000000003 {
    override readonly name = `BinaryBarrierIds_${table.replace(/\W/g, '_')}_1700000000003`;
    protected override readonly table = table;
  };
}
