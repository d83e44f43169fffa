/**
 * What DTM does with the branch in this call. `msg` is not a branch's: the local step of a message and its back-check have it.
 */
export type BranchOp = 'action' | 'compensate' | 'try' | 'confirm' | 'cancel' | 'commit' | 'rollback' | 'msg';

/** The op that an undoing op takes back (`client/dtmcli/barrier.go`); `rollback` is a workflow's. */
const UNDONE: Partial<Record<BranchOp, BranchOp>> = { compensate: 'action', cancel: 'try', rollback: 'action' };

/** The ops DTM has for each type of transaction. */
const OPS: Readonly<Record<string, readonly BranchOp[]>> = {
  saga: ['action', 'compensate'],
  msg: ['action'],
  tcc: ['try', 'confirm', 'cancel'],
  workflow: ['action', 'commit', 'rollback'],
};

/** Ops whose failure rolls the transaction back. A message's action is repeated for ever, like what undoes or confirms. */
const REFUSABLE: ReadonlySet<string> = new Set(['saga action', 'tcc try', 'workflow action']);

/** The op that `op` takes back; `undefined` when it takes nothing back. */
export function undoneBy(op: BranchOp): BranchOp | undefined {
  return UNDONE[op];
}

/** Whether `op` exists in transactions of this type. */
export function isOpOf(transType: string, op: string): op is BranchOp {
  return OPS[transType]?.some((known) => known === op) ?? false;
}

/** Whether a business refusal of this op means something to DTM. */
export function isRefusable(transType: string, op: BranchOp): boolean {
  return REFUSABLE.has(`${transType} ${op}`);
}
