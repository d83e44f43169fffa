/** The name as SQL has it: `db.table` is a table of another database on the same server. */
export function quoteTable(table: string): string {
  return table
    .split('.')
    .map((part) => `\`${part.replaceAll('`', '``')}\``)
    .join('.');
}

/** The values of one barrier row that are not the statement's own. */
export const BARRIER_ROW = "(?, ?, ?, ?, '01', ?)";

/** The beginning of every insert of barrier rows. A row that is there already is left alone and not counted. */
export function insertIgnore(table: string): string {
  return `INSERT IGNORE INTO ${quoteTable(table)} (trans_type, gid, branch_id, op, barrier_id, reason) VALUES `;
}
