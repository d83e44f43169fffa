import { Crud, InjectRepository, messageOf, Sql } from '@eshop/nest-service/mysql';
import { ContractError } from '@eshop/proto';
import {
  type DeleteOrderByIDReply,
  type GetOrderByIDReply,
  type ListOrderReply,
  type ListOrderRequest,
  type Order as OrderMessage,
  orderColumns,
  type UpdateOrderByIDReply,
  type UpdateOrderByIDRequest,
} from '@eshop/proto/order';
import { Injectable } from '@nestjs/common';
import type { Repository } from 'typeorm';
import { Order } from './order.entity.js';
import { OrderStatus } from './order-status.js';

interface OrderRow {
  order_id: string;
  user_id: number;
  product_id: number;
  product_count: number;
  amount: number;
  coupon_id: number;
  status: number;
}

/** Order rows, as people manage them. How they come to be and are cancelled is the saga's matter. */
@Injectable()
export class OrderRecords {
  private readonly crud: Crud<Order>;
  private readonly rendered = messageOf('order_record', orderColumns);

  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly sql: Sql,
  ) {
    this.crud = new Crud(orders, { notFound: 'ORDER_NOT_FOUND', columns: orderColumns });
  }

  /** Deletes a cancelled order. Throws IN_USE for any other: stock, coupon and payment count on it. */
  async deleteByID(id: number): Promise<DeleteOrderByIDReply> {
    const { affectedRows } = await this.sql.run('DELETE FROM order_record WHERE id = ? AND status = ?', [
      id,
      OrderStatus.cancelled,
    ]);
    if (affectedRows === 0) {
      await this.crud.get(id);
      throw new ContractError('IN_USE', `order ${id} is not cancelled`);
    }
    return {};
  }

  /** Moves an order one status on, from payment to completion. What was ordered, by whom and for how much, does not change. */
  async updateByID(request: UpdateOrderByIDRequest): Promise<UpdateOrderByIDReply> {
    const { id, status } = request;
    await this.sql.transaction(async (tx) => {
      const [row] = await tx.query<OrderRow>(
        'SELECT order_id, user_id, product_id, product_count, amount, coupon_id, status FROM order_record WHERE id = ? FOR UPDATE',
        [id],
      );
      if (!row) throw new ContractError('ORDER_NOT_FOUND', `order ${id} does not exist`);
      if (changesTerms(request, row)) {
        throw new ContractError('FIELD_IMMUTABLE', `only the status of order ${id} can change`);
      }
      if (status === undefined || status === row.status) return;
      if (status !== row.status + 1 || status > OrderStatus.completed) {
        throw new ContractError('ILLEGAL_STATUS', `order ${id} cannot go from status ${row.status} to ${status}`);
      }
      await tx.run('UPDATE order_record SET status = ? WHERE id = ?', [status, id]);
    });
    return {};
  }

  async getByID(id: number): Promise<GetOrderByIDReply> {
    return { order: this.message(await this.crud.get(id)) };
  }

  /** The row of an order id; undefined while the saga has not entered it. */
  async findByOrderID(orderID: string): Promise<OrderMessage | undefined> {
    const order = await this.orders.findOneBy({ orderID });
    return order ? this.message(order) : undefined;
  }

  async list(params: ListOrderRequest['params']): Promise<ListOrderReply> {
    const { total, rows } = await this.crud.list(params);
    return { total, orders: rows.map(this.message) };
  }

  private readonly message = (order: Order): OrderMessage => this.rendered({ ...order, price: order.price ?? 0 });
}

function changesTerms(request: UpdateOrderByIDRequest, row: OrderRow): boolean {
  const { orderID, userID, productID, productCount, amount, couponID } = request;
  const pairs = [
    [orderID, row.order_id],
    [userID, row.user_id],
    [productID, row.product_id],
    [productCount, row.product_count],
    [amount, row.amount],
    [couponID, row.coupon_id],
  ];
  return pairs.some(([wanted, present]) => wanted !== undefined && wanted !== present);
}
