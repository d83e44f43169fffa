import type { Database } from './database.ts';
import { type Schemas, schemaNames } from './schemas.ts';

/** Every column that holds an order id, as `schema.table.column`. */
export interface OrderIdColumns {
  submission: string;
  order: string;
  pay: string;
  coupon: string;
  dtm: string;
  dtmBranch: string;
  orderBarrier: string;
  stockBarrier: string;
  couponBarrier: string;
  payBarrier: string;
}

/**
 * Compares the order ids of two tables. The services and DTM may have given their columns different collations: the value
 * that is looked up is brought to the collation of the column it is looked up in, so that its index serves.
 */
export type SameOrder = (table: keyof OrderIdColumns, column: string, value: string) => string;

export function orderIdColumns(schemas: Schemas): OrderIdColumns {
  return {
    submission: `${schemas.order}.order_submission.order_id`,
    order: `${schemas.order}.order_record.order_id`,
    pay: `${schemas.pay}.pay.order_id`,
    coupon: `${schemas.coupon}.coupon.order_id`,
    dtm: `${schemas.dtm}.trans_global.gid`,
    dtmBranch: `${schemas.dtm}.trans_branch_op.gid`,
    orderBarrier: `${schemas.order}.barrier.gid`,
    stockBarrier: `${schemas.stock}.barrier.gid`,
    couponBarrier: `${schemas.coupon}.barrier.gid`,
    payBarrier: `${schemas.pay}.barrier.gid`,
  };
}

/** @throws Error naming the tables that are not there */
export async function sameOrder(database: Database, schemas: Schemas): Promise<SameOrder> {
  for (const branch of schemas.firstBranches) {
    if (!/^(%|[\w.-]+:\d+)\/[\w./]+$/.test(branch)) throw new Error(`"${branch}" is not host:port/service/method`);
  }
  for (const schema of schemaNames(schemas)) {
    if (!/^\w{1,64}$/.test(schema)) throw new Error(`"${schema}" is not a schema name`);
  }
  const columns = await database.rows<{ name: string; charset: string; collation: string }>(
    `SELECT CONCAT_WS('.', TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME) AS name,
       CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN (?) AND COLUMN_NAME IN ('order_id', 'gid')`,
    [schemaNames(schemas)],
  );
  const wanted = orderIdColumns(schemas);
  const missing = Object.values(wanted).filter((column) => !columns.some(({ name }) => name === column));
  if (missing.length > 0) {
    throw new Error(`the database server has no ${missing.join(', ')}: have all services been started once?`);
  }
  return (table, column, value) => {
    const { charset, collation } = columns.find(({ name }) => name === wanted[table]) ?? {};
    return `${column} = CONVERT(${value} USING ${charset}) COLLATE ${collation}`;
  };
}
