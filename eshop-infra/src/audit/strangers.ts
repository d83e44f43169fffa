import type { Database } from './database.ts';
import type { SameOrder } from './order-ids.ts';
import type { Schemas } from './schemas.ts';

/**
 * Order ids that DTM or a service knows although they were never accepted. Of DTM's sagas only those count that begin
 * with a branch of this shop's: others may share the DTM server. A gid that begins with a hash tag is no order id: such sagas
 * change a flash sale.
 */
export async function strangers(database: Database, schemas: Schemas, same: SameOrder): Promise<string[]> {
  const notAccepted = (value: string) => `NOT EXISTS (
    SELECT 1 FROM ${schemas.order}.order_submission s WHERE ${same('submission', 's.order_id', value)})`;
  const ours = schemas.firstBranches.map((branch) => `o.url LIKE '${branch}'`).join(' OR ');
  const sources = [
    `SELECT r.order_id AS id FROM ${schemas.order}.order_record r WHERE ${notAccepted('r.order_id')}`,
    `SELECT p.order_id AS id FROM ${schemas.pay}.pay p WHERE ${notAccepted('p.order_id')}`,
    `SELECT t.gid AS id FROM ${schemas.dtm}.trans_global t WHERE t.trans_type = 'saga' AND ${notAccepted('t.gid')}
       AND EXISTS (SELECT 1 FROM ${schemas.dtm}.trans_branch_op o WHERE ${same('dtmBranch', 'o.gid', 't.gid')}
         AND o.op = 'action' AND (${ours}))`,
    ...([schemas.order, schemas.stock, schemas.coupon, schemas.pay] as const).map(
      (schema) => `SELECT b.gid AS id FROM ${schema}.barrier b
        WHERE b.trans_type = 'saga' AND b.op = 'action' AND b.gid NOT LIKE '{%' AND ${notAccepted('b.gid')}`,
    ),
  ];
  const ids = new Set<string>();
  for (const sql of sources) {
    for await (const { id } of database.stream<{ id: string }>(sql)) ids.add(id);
  }
  return [...ids];
}
