import type { MigrationInterface, QueryRunner } from 'typeorm';
import { quoteTable } from './barrier-table.js';

/** A column of the barrier table for what the local steps of workflows return. */
export class AddStepResults1700000000001 implements MigrationInterface {
  /** By which TypeORM remembers that it ran. */
  readonly name: string = 'AddStepResults1700000000001';
  /** Name of the table. */
  protected readonly table: string = 'barrier';

  /** Adds the column unless it is there. */
  async up(runner: QueryRunner): Promise<void> {
    if (await runner.hasColumn(this.table, 'result')) return;
    await runner.query(`ALTER TABLE ${quoteTable(this.table)} ADD COLUMN result mediumtext CHARACTER SET utf8mb4 NULL`);
  }

  /** Drops the column, and with it what repeated steps would return. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE ${quoteTable(this.table)} DROP COLUMN result`);
  }
}

/** Add to the DataSource's `migrations`, behind `barrierMigration`, in services with workflows that have local steps in MySQL. */
export const workflowMigration = AddStepResults1700000000001;

/** The same for a table of another name. */
export function workflowMigrationFor(table: string): new () => MigrationInterface {
  return class extends AddStepResults1700000000001 {
    override readonly name = `AddStepResults_${table.replace(/\W/g, '_')}_1700000000001`;
    protected override readonly table = table;
  };
}
