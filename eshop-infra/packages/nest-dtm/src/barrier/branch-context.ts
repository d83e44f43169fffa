import { AsyncLocalStorage } from 'node:async_hooks';
import type { Branch } from '../branch/branch.js';
import type { MysqlTransaction } from './mysql-transaction.js';

/** What a handler finds around it. */
export interface BranchContext {
  branch: Branch;
  transaction: MysqlTransaction;
}

/** The branch call the current code runs in. */
export const branchContext = new AsyncLocalStorage<BranchContext>();
