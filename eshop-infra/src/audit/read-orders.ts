import { REFUSED, readTrace } from './barrier-trace.ts';
import type { Database } from './database.ts';
import type { OrderFacts, Submission } from './order-facts.ts';
import type { SameOrder } from './order-ids.ts';
import type { Schemas } from './schemas.ts';

interface FactsRow {
  id: string;
  s_id: string | null;
  s_user: number;
  s_product: number;
  s_count: number;
  s_amount: number;
  s_coupon: number;
  s_price: number | null;
  s_coupon_amount: number;
  s_sale: number;
  s_state: number;
  s_reason: string;
  s_created: string;
  r_id: string | null;
  r_user: number;
  r_product: number;
  r_count: number;
  r_amount: number;
  r_coupon: number;
  r_price: number | null;
  r_coupon_amount: number;
  r_sale: number;
  r_status: number;
  p_id: string | null;
  p_user: number;
  p_amount: number;
  p_status: number;
  c_id: number | null;
  c_user: number;
  c_amount: number;
  c_status: number;
  c_order: string;
  t_status: string | null;
  t_reason: string | null;
  b_order: string | null;
  b_stock: string | null;
  b_coupon: string | null;
  b_pay: string | null;
}

const states: Record<number, Submission['state']> = { 0: 'pending', 1: 'placed', 2: 'cancelled', 3: 'queued' };

/** One row per order id of `keys`, with what every table says about it. All look-ups go by a unique index. */
function factsSql(schemas: Schemas, same: SameOrder, keys: string): string {
  const barrier = (service: 'order' | 'stock' | 'coupon' | 'pay') => `(
      SELECT GROUP_CONCAT(CONCAT_WS(':', b.branch_id, b.op, b.barrier_id,
          IF(b.reason IN ('action', 'compensate'), b.reason, '${REFUSED}'))) FROM ${schemas[service]}.barrier b
      WHERE ${same(`${service}Barrier`, 'b.gid', 'k.id')} AND b.trans_type = 'saga') AS b_${service}`;
  return `SELECT k.id AS id,
      s.order_id AS s_id, s.user_id AS s_user, s.product_id AS s_product, s.product_count AS s_count,
      s.amount AS s_amount, s.coupon_id AS s_coupon, s.price AS s_price, s.coupon_amount AS s_coupon_amount,
      s.sale_id AS s_sale,      s.state AS s_state, s.reason AS s_reason, s.created_at AS s_created,
      r.order_id AS r_id, r.user_id AS r_user, r.product_id AS r_product, r.product_count AS r_count,
      r.amount AS r_amount, r.coupon_id AS r_coupon, r.price AS r_price, r.coupon_amount AS r_coupon_amount,
      r.sale_id AS r_sale, r.status AS r_status,
      p.order_id AS p_id, p.user_id AS p_user, p.amount AS p_amount, p.status AS p_status,
      c.id AS c_id, c.user_id AS c_user, c.amount AS c_amount, c.status AS c_status, c.order_id AS c_order,
      t.status AS t_status, t.rollback_reason AS t_reason,
      ${barrier('order')}, ${barrier('stock')}, ${barrier('coupon')}, ${barrier('pay')}
    FROM ${keys} k
    LEFT JOIN ${schemas.order}.order_submission s ON ${same('submission', 's.order_id', 'k.id')}
    LEFT JOIN ${schemas.order}.order_record r ON ${same('order', 'r.order_id', 'k.id')}
    LEFT JOIN ${schemas.pay}.pay p ON ${same('pay', 'p.order_id', 'k.id')}
    LEFT JOIN ${schemas.coupon}.coupon c ON c.id = COALESCE(r.coupon_id, s.coupon_id) AND c.id > 0
    LEFT JOIN ${schemas.dtm}.trans_global t ON ${same('dtm', 't.gid', 'k.id')}`;
}

function factsOf(row: FactsRow): OrderFacts {
  return {
    orderID: row.id,
    submission: row.s_id === null ? undefined : submissionOf(row),
    order: row.r_id === null ? undefined : orderOf(row),
    pay: row.p_id === null ? undefined : { userID: row.p_user, amount: row.p_amount, status: row.p_status },
    coupon: row.c_id === null ? undefined : couponOf(row, row.c_id),
    dtm: row.t_status === null ? undefined : { status: row.t_status, reason: row.t_reason ?? '' },
    branches: {
      order: readTrace(row.b_order),
      stock: readTrace(row.b_stock),
      coupon: readTrace(row.b_coupon),
      pay: readTrace(row.b_pay),
    },
  };
}

function submissionOf(row: FactsRow): Submission {
  return {
    userID: row.s_user,
    productID: row.s_product,
    count: row.s_count,
    amount: row.s_amount,
    couponID: row.s_coupon,
    price: row.s_price,
    couponAmount: row.s_coupon_amount,
    saleID: row.s_sale,
    // A state that nobody knows is not final.
    state: states[row.s_state] ?? 'pending',
    reason: row.s_reason,
    createdAt: row.s_created,
  };
}

function orderOf(row: FactsRow): NonNullable<OrderFacts['order']> {
  return {
    userID: row.r_user,
    productID: row.r_product,
    count: row.r_count,
    amount: row.r_amount,
    couponID: row.r_coupon,
    price: row.r_price,
    couponAmount: row.r_coupon_amount,
    saleID: row.r_sale,
    status: row.r_status,
  };
}

function couponOf(row: FactsRow, id: number): NonNullable<OrderFacts['coupon']> {
  return { id, userID: row.c_user, amount: row.c_amount, status: row.c_status, orderID: row.c_order };
}

/** All accepted orders; one with several payment rows comes as often as it has them. */
export async function* acceptedOrders(
  database: Database,
  schemas: Schemas,
  same: SameOrder,
): AsyncGenerator<OrderFacts> {
  const keys = `(SELECT order_id AS id FROM ${schemas.order}.order_submission)`;
  for await (const row of database.stream<FactsRow>(factsSql(schemas, same, keys))) yield factsOf(row);
}

const CHUNK = 500;

/** The orders of these ids, accepted or not. */
export async function* ordersById(
  database: Database,
  schemas: Schemas,
  same: SameOrder,
  ids: readonly string[],
): AsyncGenerator<OrderFacts> {
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const keys = `(SELECT ? AS id ${'UNION ALL SELECT ? '.repeat(chunk.length - 1)})`;
    const facts = new Map<string, OrderFacts>();
    for (const row of await database.rows<FactsRow>(factsSql(schemas, same, keys), chunk)) {
      facts.set(row.id, factsOf(row));
    }
    yield* facts.values();
  }
}
