/**
 * What DTM does with the branch in this call. `msg` is not a branch's: the local step of a message and its back-check have it.
 */
export type BranchOp = 'action' | 'compensate' | 'try' | 'confirm' | 'cancel' | 'commit' | 'rollback' | 'msg';

/** The op that an undoing op takes back (`client/dtmcli/barrier.go`); `rollback` is a workflow's. */
const UNDONE: Partial<Record<BranchOp, BranchOp>> = { compensate: 'action', cancel: 'try', rollback: 'action' };

/** The op that takes back what may be refused; `action` is undone by another op in each type of transaction. */
const UNDONE_BY: Readonly<Record<string, BranchOp>> = {
  'saga action': 'compensate',
  'tcc try': 'cancel',
  'workflow action': 'rollback',
};

/** Whether a text is the name of an op that takes another one back. */
export function isUndoingOp(text: string): boolean {
  return text in UNDONE;
}

/** The ops DTM has for each type of transaction. */
const OPS: Readonly<Record<string, readonly BranchOp[]>> = {
  saga: ['action', 'compensate'],
  msg: ['action'],
  tcc: ['try', 'confirm', 'cancel'],
  workflow: ['action', 'commit', 'rollback'],
};

/** The op that `op` takes back; `undefined` when it takes nothing back. */
export function undoneBy(op: BranchOp): BranchOp | undefined {
  return UNDONE[op];
}

/** The op that takes `op` back; `undefined` when none does. */
export function undoingOf(transType: string, op: BranchOp): BranchOp | undefined {
  return UNDONE_BY[`${transType} ${op}`];
}

/** Whether `op` exists in transactions of this type. */
export function isOpOf(transType: string, op: string): op is BranchOp {
  return OPS[transType]?.some((known) => known === op) ?? false;
}

/**
 * Whether a business refusal of this op rolls the transaction back. A message's action is repeated for ever, like what undoes or
 * confirms.
 */
export function isRefusable(transType: string, op: BranchOp): boolean {
  return undoingOf(transType, op) !== undefined;
}
