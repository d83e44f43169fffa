import { Crud, InjectRepository, messageOf, Sql } from '@eshop/nest-service/mysql';
import { ContractError } from '@eshop/proto';
import {
  CouponStatus,
  type CreateCouponReply,
  type CreateCouponRequest,
  couponColumns,
  type DeleteCouponByIDReply,
  type GetCouponByIDReply,
  type ListCouponReply,
  type ListCouponRequest,
  type UpdateCouponByIDReply,
  type UpdateCouponByIDRequest,
} from '@eshop/proto/coupon';
import { Injectable } from '@nestjs/common';
import type { Repository } from 'typeorm';
import { Coupon } from './coupon.entity.js';

interface Holding {
  status: number;
  version: number;
}

/** Coupons, as people manage them. That an order uses one, and frees it again, is the usage's matter. */
@Injectable()
export class CouponService {
  private readonly crud: Crud<Coupon>;
  private readonly message = messageOf('coupon', couponColumns);

  constructor(
    @InjectRepository(Coupon) coupons: Repository<Coupon>,
    private readonly sql: Sql,
  ) {
    this.crud = new Crud(coupons, { notFound: 'COUPON_NOT_FOUND', columns: couponColumns });
  }

  /** Creates a coupon, unused when no status is named. */
  create({ userID, amount, status }: CreateCouponRequest): Promise<CreateCouponReply> {
    return this.crud.create({ userID, amount, status: status || CouponStatus.UNUSED, orderID: '' });
  }

  /** Throws IN_USE for a coupon that an order holds. */
  async deleteByID(id: number): Promise<DeleteCouponByIDReply> {
    const { affectedRows } = await this.sql.run('DELETE FROM coupon WHERE id = ? AND status <> ?', [
      id,
      CouponStatus.USED,
    ]);
    if (affectedRows === 0) {
      await this.crud.get(id);
      throw heldByOrder(id);
    }
    return {};
  }

  /**
   * Changes a coupon that no order holds, provided that it is of the version given; 0 or none = of whatever version.
   * Only an order can use a coupon: status `used` cannot be set.
   */
  async updateByID({ id, userID, amount, status, version }: UpdateCouponByIDRequest): Promise<UpdateCouponByIDReply> {
    await this.sql.transaction(async (tx) => {
      const [row] = await tx.query<Holding>('SELECT status, version FROM coupon WHERE id = ? FOR UPDATE', [id]);
      if (!row) throw new ContractError('COUPON_NOT_FOUND', `coupon ${id} does not exist`);
      if (version && version !== row.version) throw new ContractError('VERSION_CONFLICT');
      if (row.status === CouponStatus.USED) throw heldByOrder(id);
      if (status === CouponStatus.USED) throw new ContractError('ILLEGAL_STATUS', 'only an order can use a coupon');
      if (userID === undefined && amount === undefined && status === undefined) return;
      await tx.run(
        'UPDATE coupon SET user_id = COALESCE(?, user_id), amount = COALESCE(?, amount), status = COALESCE(?, status), version = version + 1 WHERE id = ?',
        [userID ?? null, amount ?? null, status ?? null, id],
      );
    });
    return {};
  }

  async getByID(id: number): Promise<GetCouponByIDReply> {
    return { coupon: this.message(await this.crud.get(id)) };
  }

  async list(params: ListCouponRequest['params']): Promise<ListCouponReply> {
    const { total, rows } = await this.crud.list(params);
    return { total, coupons: rows.map(this.message) };
  }
}

function heldByOrder(id: number): ContractError {
  return new ContractError('IN_USE', `coupon ${id} is held by an order`);
}
