import {
  CouponApi,
  type CreateCouponReply,
  type CreateCouponRequest,
  type DeleteCouponByIDReply,
  type DeleteCouponByIDRequest,
  type GetCouponByIDReply,
  type GetCouponByIDRequest,
  type ListCouponReply,
  type ListCouponRequest,
  type UpdateCouponByIDReply,
  type UpdateCouponByIDRequest,
} from '@eshop/proto/coupon';
import { CouponService } from './coupon.service.js';

/** The public API of the coupon service. */
@CouponApi()
export class CouponController implements CouponApi {
  constructor(private readonly coupons: CouponService) {}

  create(request: CreateCouponRequest): Promise<CreateCouponReply> {
    return this.coupons.create(request);
  }

  deleteByID({ id }: DeleteCouponByIDRequest): Promise<DeleteCouponByIDReply> {
    return this.coupons.deleteByID(id);
  }

  updateByID(request: UpdateCouponByIDRequest): Promise<UpdateCouponByIDReply> {
    return this.coupons.updateByID(request);
  }

  getByID({ id }: GetCouponByIDRequest): Promise<GetCouponByIDReply> {
    return this.coupons.getByID(id);
  }

  list({ params }: ListCouponRequest): Promise<ListCouponReply> {
    return this.coupons.list(params);
  }
}
