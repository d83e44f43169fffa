import { judgeOrder } from './audit.ts';
import { Database } from './database.ts';
import { isUnfinished, type OrderFacts } from './order-facts.ts';
import { sameOrder } from './order-ids.ts';
import { ordersById } from './read-orders.ts';
import { defaultSchemas, type Schemas } from './schemas.ts';
import type { Violation } from './violation.ts';

/** A branch call as DTM has it in its books. */
export interface DtmBranch {
  branch: string;
  op: string;
  status: string;
  url: string;
}

export interface Explanation {
  facts: OrderFacts;
  unfinished: boolean;
  dtmBranches: DtmBranch[];
  violations: Violation[];
}

/** Everything that is known of one order, and what is wrong with it; undefined when nobody knows the id. */
export async function explainOrder(
  url: string,
  orderID: string,
  schemas: Schemas = defaultSchemas,
): Promise<Explanation | undefined> {
  const database = await Database.open(url);
  try {
    const same = await sameOrder(database, schemas);
    return await database.snapshot(async () => {
      const dtmBranches = await database.rows<DtmBranch>(
        `SELECT branch_id AS branch, op, status, url FROM ${schemas.dtm}.trans_branch_op
         WHERE ${same('dtmBranch', 'gid', '?')} ORDER BY branch_id, op`,
        [orderID],
      );
      for await (const facts of ordersById(database, schemas, same, [orderID])) {
        const { submission, order, pay, dtm, branches } = facts;
        const traces = Object.values(branches).some((trace) => trace !== 'none');
        if (!submission && !order && !pay && !dtm && !traces) return undefined;
        return { facts, unfinished: isUnfinished(facts), dtmBranches, violations: judgeOrder(facts) };
      }
      return undefined;
    });
  } finally {
    await database.close();
  }
}
