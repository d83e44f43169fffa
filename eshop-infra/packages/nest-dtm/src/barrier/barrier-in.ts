import type { Branch } from '../branch/branch.js';
import { undoingOf, undoneBy } from '../branch/op.js';
import { Refusal } from '../branch/refusal.js';
import { DtmInvalidOption } from '../errors.js';
import { assertGid } from '../gid.js';
import type { BarrierOutcome } from './barrier.js';
import { AT_PLACE, BARRIER_ROW, barrierRow, insertIgnore, place, quoteTable } from './barrier-table.js';
import { localBranch, UNDONE } from './local-branch.js';
import type { LocalOutcome } from './local-step.js';
import { type OpenTransaction, type Statements, statementsOf } from './open-transaction.js';

const MAX_BRANCH_ID_LENGTH = 128;

/**
 * DTM's barrier inside a transaction of one's own: nothing is begun, committed or rolled back here. Whoever opened the
 * transaction commits it when the call resolves, also when nothing ran, and rolls it back when the call rejects.
 *
 * @param transaction open, and on the server of the tables the work writes
 * @throws when TypeORM says that it is not open
 */
export function barrierIn(transaction: OpenTransaction, { table = 'barrier' }: { table?: string } = {}): BarrierIn {
  return new BarrierIn(statementsOf(transaction), table);
}

/** Made by {@link barrierIn}. */
export class BarrierIn {
  readonly #insert: string;
  readonly #reason: string;

  constructor(
    private readonly statements: Statements,
    table: string,
  ) {
    this.#insert = insertIgnore(table);
    // Locking: under REPEATABLE READ a plain read might show the time before the insert waited for the other side.
    this.#reason = `SELECT reason FROM ${quoteTable(table)} ${AT_PLACE} LOCK IN SHARE MODE`;
  }

  /**
   * Runs the work of a branch call unless it ran before, or there is nothing to take back.
   *
   * @throws {Refusal} the branch has been compensated: it must be answered with a refusal, since what comes after it has no
   * compensation any more
   */
  async call<T>(branch: Branch, work: () => Promise<T>): Promise<BarrierOutcome<T>> {
    assertGid(branch.gid);
    if (branch.branchId.length === 0 || branch.branchId.length > MAX_BRANCH_ID_LENGTH)
      throw new DtmInvalidOption('branchId', `must have 1 to ${MAX_BRANCH_ID_LENGTH} characters`, { gid: branch.gid });
    const undone = undoneBy(branch.op);
    const fresh = await this.#take(branch, undone ? [undone, branch.op] : [branch.op]);
    if (fresh === 0) {
      await this.#assertNotUndone(branch);
      return { ran: false, why: 'repeat' };
    }
    if (fresh === 2) return { ran: false, why: 'null-compensation' };
    return { ran: true, value: await work() };
  }

  /** Runs the local step of the message `gid` unless it ran before, or the back-check came first. */
  async local<T>(gid: string, work: () => Promise<T>): Promise<LocalOutcome<T>> {
    assertGid(gid);
    const branch = localBranch(gid);
    if ((await this.#take(branch, [branch.op])) === 1) return { done: true, repeat: false, value: await work() };
    const [row] = await this.statements.read(this.#reason, place(branch));
    return row?.reason === branch.op ? { done: true, repeat: true } : { done: false, why: 'rolled-back' };
  }

  async #assertNotUndone(branch: Branch): Promise<void> {
    const undoing = undoingOf(branch.transType, branch.op);
    if (undoing === undefined) return;
    const [row] = await this.statements.read(this.#reason, place(branch, undoing));
    if (row) throw new Refusal(row.reason === undoing ? UNDONE : row.reason);
  }

  /** How many of the rows of these ops are new. Waits while another transaction holds one of them uncommitted. */
  async #take(branch: Branch, ops: readonly string[]): Promise<number> {
    const values = ops.flatMap((each) => barrierRow(branch, each));
    const { affectedRows } = await this.statements.write(this.#insert + ops.map(() => BARRIER_ROW).join(', '), values);
    return affectedRows;
  }
}
