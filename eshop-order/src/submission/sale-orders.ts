import { Sql } from '@eshop/nest-service/mysql';
import type { SaleOrdersReply, SaleOrdersRequest } from '@eshop/proto/order';
import { Injectable } from '@nestjs/common';
import { SubmissionState } from './submission.js';

interface UserRow {
  userID: number;
  count: number;
  underWay: number;
}

/** What this service's books say of a flash sale. */
@Injectable()
export class SaleOrders {
  constructor(private readonly sql: Sql) {}

  /** Counts the orders of a sale that are not final, and each user's units in orders that are not cancelled. */
  async of({ productID, saleID }: SaleOrdersRequest): Promise<SaleOrdersReply> {
    const rows = await this.sql.query<UserRow>(
      `SELECT user_id AS userID, CAST(SUM(product_count) AS UNSIGNED) AS count,
         CAST(SUM(state <> ?) AS UNSIGNED) AS underWay
       FROM order_submission WHERE sale_id = ? AND product_id = ? AND state <> ? GROUP BY user_id ORDER BY user_id`,
      [SubmissionState.placed, saleID, productID, SubmissionState.cancelled],
    );
    return {
      pending: rows.reduce((sum, { underWay }) => sum + underWay, 0),
      users: rows.map(({ userID, count }) => ({ userID, count })),
    };
  }
}
