// Barrier on MySQL and MariaDB, by TypeORM and mysql2: `@eshop/nest-dtm/mysql`.
export {
  AddStepResults1700000000001,
  workflowMigration,
  workflowMigrationFor,
} from './barrier/add-step-results.js';
export { type BarrierIn, barrierIn } from './barrier/barrier-in.js';
export {
  BinaryBarrierIds1700000000003,
  barrierIdsMigration,
  barrierIdsMigrationFor,
} from './barrier/binary-ids.js';
export type { Bypass } from './barrier/bypass-guard.js';
export {
  barrierMigration,
  barrierMigrationFor,
  CreateBarrierTable1700000000000,
} from './barrier/create-barrier-table.js';
export { LocalTransaction } from './barrier/local-transaction.js';
export { type MysqlBarrier, type MysqlBarrierOptions, mysqlBarrier } from './barrier/mysql-barrier.js';
export type { SqlValue } from './barrier/mysql-transaction.js';
export type { OpenTransaction } from './barrier/open-transaction.js';
export { type PurgeOptions, type PurgeResult, purgeBarrier, type TransactionSource } from './barrier/purge-barrier.js';
export type { SharedWrite } from './barrier/shared-writes.js';
