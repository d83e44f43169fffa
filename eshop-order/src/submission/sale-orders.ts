import { requestContext } from '@eshop/nest-service';
import { Sql } from '@eshop/nest-service/mysql';
import { ContractError } from '@eshop/proto';
import type { SaleOrdersReply, SaleOrdersRequest } from '@eshop/proto/order';
import { Injectable } from '@nestjs/common';
import { SubmissionState } from './submission.js';

interface UserRow {
  userID: number;
  count: number;
  underWay: number;
}

/** So many users fit into one message of gRPC, 20 bytes each. */
const MAX_USERS = 200_000;
/** Of a user on the heap, until the reply is made. */
const USER_BYTES = 100;

/** What this service's books say of a flash sale. */
@Injectable()
export class SaleOrders {
  constructor(private readonly sql: Sql) {}

  /**
   * Counts the orders of a sale that are not final, and each user's units in orders that are not cancelled.
   * Throws INVALID_PARAMETER when more users have bought than one reply can hold.
   */
  async of({ productID, saleID }: SaleOrdersRequest): Promise<SaleOrdersReply> {
    const measure = async () => USER_BYTES * (await this.countUsers(productID, saleID));
    const correct = await requestContext()?.replyShare?.reserve(USER_BYTES * MAX_USERS, measure);
    const rows = await this.sql.query<UserRow>(
      `SELECT user_id AS userID, CAST(SUM(product_count) AS UNSIGNED) AS count,
         CAST(SUM(state <> ?) AS UNSIGNED) AS underWay
       FROM order_submission WHERE sale_id = ? AND product_id = ? AND state <> ? GROUP BY user_id ORDER BY user_id LIMIT ${MAX_USERS + 1}`,
      [SubmissionState.placed, saleID, productID, SubmissionState.cancelled],
    );
    correct?.(USER_BYTES * rows.length);
    if (rows.length > MAX_USERS) {
      throw new ContractError('INVALID_PARAMETER', `more than ${MAX_USERS} users have bought in sale ${saleID}`, {
        violations: [{ field: 'saleID', rule: 'page.max_bytes', description: 'has too many users for one reply' }],
      });
    }
    return {
      pending: rows.reduce((sum, { underWay }) => sum + underWay, 0),
      users: rows.map(({ userID, count }) => ({ userID, count })),
    };
  }

  private async countUsers(productID: number, saleID: number): Promise<number> {
    const [row] = await this.sql.query<{ count: number }>(
      `SELECT COUNT(DISTINCT user_id) AS \`count\` FROM order_submission
       WHERE sale_id = ? AND product_id = ? AND state <> ?`,
      [saleID, productID, SubmissionState.cancelled],
    );
    return row?.count ?? 0;
  }
}
