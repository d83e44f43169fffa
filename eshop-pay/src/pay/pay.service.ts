import { Crud, InjectRepository, messageOf, Sql } from '@eshop/nest-service/mysql';
import { ContractError } from '@eshop/proto';
import {
  type DeletePayByIDReply,
  type GetPayByIDReply,
  type GetPayByOrderIDReply,
  type ListPayReply,
  type ListPayRequest,
  payColumns,
  type UpdatePayByIDReply,
  type UpdatePayByIDRequest,
} from '@eshop/proto/pay';
import { Injectable } from '@nestjs/common';
import type { Repository } from 'typeorm';
import { Pay } from './pay.entity.js';
import { PayStatus } from './pay-status.js';

interface PayRow {
  user_id: number;
  order_id: string;
  amount: number;
  status: number;
}

/** Payments, as people manage them. What orders open and cancel is the ledger's matter. */
@Injectable()
export class PayService {
  private readonly crud: Crud<Pay>;
  private readonly message = messageOf('pay', payColumns);

  constructor(
    @InjectRepository(Pay) private readonly pays: Repository<Pay>,
    private readonly sql: Sql,
  ) {
    this.crud = new Crud(pays, { notFound: 'PAY_NOT_FOUND', columns: payColumns });
  }

  /** Deletes a cancelled payment. Throws IN_USE for any other: a live order has just one. */
  async deleteByID(id: number): Promise<DeletePayByIDReply> {
    const { affectedRows } = await this.sql.run('DELETE FROM pay WHERE id = ? AND status = ?', [
      id,
      PayStatus.cancelled,
    ]);
    if (affectedRows === 0) {
      await this.crud.get(id);
      throw new ContractError('IN_USE', `payment ${id} belongs to a live order`);
    }
    return {};
  }

  /** Marks an awaited payment as paid. Whose it is, for which order and over how much, does not change. */
  async updateByID({ id, userID, orderID, amount, status }: UpdatePayByIDRequest): Promise<UpdatePayByIDReply> {
    await this.sql.transaction(async (tx) => {
      const [row] = await tx.query<PayRow>(
        'SELECT user_id, order_id, amount, status FROM pay WHERE id = ? FOR UPDATE',
        [id],
      );
      if (!row) throw new ContractError('PAY_NOT_FOUND', `payment ${id} does not exist`);
      if (
        (userID ?? row.user_id) !== row.user_id ||
        (orderID ?? row.order_id) !== row.order_id ||
        (amount ?? row.amount) !== row.amount
      ) {
        throw new ContractError('FIELD_IMMUTABLE', `only the status of payment ${id} can change`);
      }
      if (status === undefined || status === row.status) return;
      if (row.status !== PayStatus.awaiting || status !== PayStatus.paid) {
        throw new ContractError('ILLEGAL_STATUS', `payment ${id} cannot go from status ${row.status} to ${status}`);
      }
      await tx.run('UPDATE pay SET status = ? WHERE id = ?', [status, id]);
    });
    return {};
  }

  async getByID(id: number): Promise<GetPayByIDReply> {
    return { pay: this.message(await this.crud.get(id)) };
  }

  async getByOrderID(orderID: string): Promise<GetPayByOrderIDReply> {
    const pay = await this.pays.findOneBy({ orderID });
    if (!pay) throw new ContractError('PAY_NOT_FOUND', `order ${orderID} has no payment`);
    return { pay: this.message(pay) };
  }

  async list(params: ListPayRequest['params']): Promise<ListPayReply> {
    const { total, rows } = await this.crud.list(params);
    return { total, pays: rows.map(this.message) };
  }
}
