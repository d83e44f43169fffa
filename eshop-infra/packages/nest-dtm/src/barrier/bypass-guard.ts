import { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import { DtmBypass } from '../errors.js';
import { branchContext } from './branch-context.js';

/** What becomes of a statement that a branch sends past its transaction. */
export type Bypass = 'error' | 'warn';

const unguardedOf = new WeakMap<DataSource, DataSource['createQueryRunner']>();

/**
 * Has a DataSource look whether it is used by a branch that has a transaction on it. All of TypeORM's ways to the database but that
 * transaction's own manager make a query runner there: repositories, `manager`, `query`, `transaction`.
 */
export function guardDataSource(dataSource: DataSource, bypass: Bypass): void {
  if (unguardedOf.has(dataSource)) return;
  const create = dataSource.createQueryRunner.bind(dataSource);
  unguardedOf.set(dataSource, create);
  const logger = new Logger('Dtm');
  dataSource.createQueryRunner = (mode) => {
    const context = branchContext.getStore();
    if (context?.transaction.isOn(dataSource)) {
      const { gid, branchId, op } = context.branch;
      const error = new DtmBypass(
        `branch ${branchId} ${op} uses the DataSource past its transaction: take LocalTransaction.getRepository or .manager`,
        { gid },
      );
      if (bypass === 'error') throw error;
      logger.warn(`${gid}: ${error.message}`);
    }
    return create(mode);
  };
}

/** A query runner for the branch's transaction itself. */
export function unguarded(dataSource: DataSource): QueryRunner {
  return (unguardedOf.get(dataSource) ?? dataSource.createQueryRunner.bind(dataSource))('master');
}
