import { AsyncLocalStorage } from 'node:async_hooks';
import type { Branch } from '../branch/branch.js';
import type { MysqlTransaction } from './mysql-transaction.js';
import type { SharedWrites } from './shared-writes.js';

/** What a handler finds around it. */
export interface BranchContext {
  branch: Branch;
  transaction: MysqlTransaction;
  /** Of the group in which the call runs; undefined when it runs alone. */
  writes?: SharedWrites;
}

/** The branch call the current code runs in. */
export const branchContext = new AsyncLocalStorage<BranchContext>();
