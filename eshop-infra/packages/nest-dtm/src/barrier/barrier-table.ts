import { createHash } from 'node:crypto';
import type { Branch } from '../branch/branch.js';
import type { SqlValue } from './mysql-transaction.js';

/** The name as SQL has it: `db.table` is a table of another database on the same server. */
export function quoteTable(table: string): string {
  return table
    .split('.')
    .map((part) => `\`${part.replaceAll('`', '``')}\``)
    .join('.');
}

/** The values of one barrier row: {@link barrierRow}. */
export const BARRIER_ROW = '(?, ?, ?, ?, ?, ?)';

/** One barrier row of a branch. `reason`: the op that inserts it, or why it was refused. */
export function barrierRow(branch: Branch, op: string, reason: string = branch.op): SqlValue[] {
  return [branch.transType, branch.gid, branch.branchId, op, barrierId(branch), reason];
}

/** The place of one op of a branch: the values of {@link AT_PLACE}. */
export function place(branch: Branch, op: string = branch.op): SqlValue[] {
  return [branch.gid, branch.branchId, op, barrierId(branch)];
}

/** The condition for one row. */
export const AT_PLACE = 'WHERE gid = ? AND branch_id = ? AND op = ? AND barrier_id = ?';

/** Length of the column `barrier_id`. */
const MAX_BARRIER_ID = 45;

/**
 * DTM's own clients number the barriers of one call; here a call has one, so that the number's column can tell DTM servers apart: a gid
 * on two of them is two transactions.
 */
function barrierId({ server }: Branch): string {
  if (!server) return '01';
  const id = `01@${server}`;
  return id.length <= MAX_BARRIER_ID ? id : `01@${createHash('sha1').update(server).digest('hex')}`;
}

/** The beginning of every insert of barrier rows. A row that is there already is left alone and not counted. */
export function insertIgnore(table: string): string {
  return `INSERT IGNORE INTO ${quoteTable(table)} (trans_type, gid, branch_id, op, barrier_id, reason) VALUES `;
}
