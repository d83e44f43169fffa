import type { Database } from '../database.ts';
import type { Schemas } from '../schemas.ts';
import type { SaleRow } from './sale-book.ts';

/** A product's part of its running sale, as the stock service keeps it. */
export interface Allotment {
  productID: number;
  saleID: number;
  allotted: number;
}

/** The products whose stock belongs in part to a running sale. */
export function allotments(database: Database, { stock }: Schemas): Promise<Allotment[]> {
  const sql = `SELECT product_id AS productID, sale_id AS saleID, allotted FROM ${stock}.stock WHERE sale_id > 0`;
  return database.rows<Allotment>(sql);
}

/** All sales that there have been. */
export async function sales(database: Database, { stock }: Schemas): Promise<SaleRow[]> {
  const rows = await database.rows<Omit<SaleRow, 'running'> & { status: number }>(
    `SELECT id AS saleID, product_id AS productID, units, limit_per_user AS limitPerUser, version, status,
       updated_at AS updatedAt FROM ${stock}.flash_sale`,
  );
  return rows.map(({ status, ...row }) => ({ ...row, running: status === 1 }));
}

/** The products whose sale is being changed by a saga: its gid begins with the product in braces. */
export async function changingSales(database: Database, { dtm }: Schemas): Promise<Set<number>> {
  const rows = await database.rows<{ gid: string }>(
    `SELECT gid FROM ${dtm}.trans_global
     WHERE status IN ('prepared', 'submitted', 'aborting') AND trans_type = 'saga' AND gid LIKE '{%}-sale-%'`,
  );
  return new Set(rows.map(({ gid }) => Number(/^\{(\d+)\}/.exec(gid)?.[1])));
}
