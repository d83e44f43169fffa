import { randomInt, randomUUID } from 'node:crypto';
import { CouponStatus } from '@eshop/proto/coupon';
import { type Started, startCoupon } from './service.js';

const UNKNOWN = 9_007_199_254_740_991;
const newUserID = () => randomInt(1, 2 ** 40);

describe('coupons', () => {
  let coupons: Started;
  beforeAll(async () => {
    coupons = await startCoupon();
  });
  afterAll(() => coupons.service.close());

  async function newCoupon(amount = 100) {
    const userID = newUserID();
    const { id } = await coupons.grpc.create({ userID, amount, status: 0 });
    return { couponID: id, userID, amount };
  }

  const read = async (id: number) => (await coupons.grpc.getByID({ id })).coupon;

  describe('as people manage them', () => {
    it('are unused when no status is named, and a user may own many', async () => {
      const { userID } = await newCoupon();
      await coupons.grpc.create({ userID, amount: 5, status: 0 });
      const column = { name: 'user_id', exp: '=', value: String(userID), logic: '' };
      const { total, coupons: rows } = await coupons.grpc.list({
        params: { page: 0, limit: 10, sort: '', columns: [column] },
      });
      expect(total).toBe(2);
      expect(rows.map(({ status }) => status)).toEqual([CouponStatus.UNUSED, CouponStatus.UNUSED]);
    });

    it('can be expired, and cannot be made used', async () => {
      const { couponID } = await newCoupon();
      await coupons.grpc.updateByID({ id: couponID, status: CouponStatus.EXPIRED });
      expect(await read(couponID)).toMatchObject({ status: CouponStatus.EXPIRED });
      await expect(coupons.grpc.updateByID({ id: couponID, status: CouponStatus.USED })).rejects.toMatchObject({
        code: expect.stringMatching(/ILLEGAL_STATUS|INVALID_PARAMETER/),
      });
    });

    it('tell two who change them at the same time apart by the version', async () => {
      const { couponID: id, userID } = await newCoupon();
      expect(await read(id)).toMatchObject({ version: 1 });
      const amounts = Array.from({ length: 50 }, (_, i) => i + 1);
      const results = await Promise.allSettled(
        amounts.map((amount) => coupons.grpc.updateByID({ id, amount, version: 1 })),
      );
      const made = amounts.filter((_, i) => results[i]?.status === 'fulfilled');
      expect(made).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'VERSION_CONFLICT' });
      }
      expect(await read(id)).toMatchObject({ amount: made[0], version: 2 });
      expect(await coupons.http('PUT', `/${id}`, { userID, version: 1 })).toMatchObject({ status: 409, code: 40914 });
      await coupons.grpc.updateByID({ id, amount: 7 });
      await coupons.grpc.updateByID({ id });
      expect(await read(id)).toMatchObject({ amount: 7, version: 3 });
    });

    it('are of another version once an order holds them, and once more when it lets them go', async () => {
      const coupon = await newCoupon();
      const gid = randomUUID();
      await coupons.grpc.couponUse(coupon, coupons.branch(gid, 'action'));
      expect(await read(coupon.couponID)).toMatchObject({ version: 2 });
      await coupons.grpc.couponUseRevert(coupon, coupons.branch(gid, 'compensate'));
      await expect(coupons.grpc.updateByID({ id: coupon.couponID, amount: 1, version: 1 })).rejects.toMatchObject({
        code: 'VERSION_CONFLICT',
      });
      expect(await read(coupon.couponID)).toMatchObject({ amount: coupon.amount, version: 3 });
    });

    it('whose row holds what the contract cannot carry do not take the list with them', async () => {
      const { couponID: id } = await newCoupon();
      await coupons.service.database?.query("SET SESSION sql_mode = ''");
      await coupons.service.database?.query(
        "UPDATE coupon SET user_id = 18446744073709551615, created_at = '0000-00-00' WHERE id = ?",
        [id],
      );
      const shown = { id, userID: UNKNOWN, createdAt: '' };
      expect(await read(id)).toMatchObject(shown);
      const params = { page: 0, limit: 1000, sort: '', columns: [] };
      const listed = await coupons.grpc.list({ params });
      expect(listed.coupons.find((coupon) => coupon.id === id)).toMatchObject(shown);
      expect(await coupons.http('POST', '/list', { params })).toMatchObject({ status: 200 });
    });

    it('that are unknown are not found', async () => {
      await expect(coupons.grpc.getByID({ id: UNKNOWN })).rejects.toMatchObject({ code: 'COUPON_NOT_FOUND' });
      await expect(coupons.grpc.updateByID({ id: UNKNOWN, amount: 1 })).rejects.toMatchObject({
        code: 'COUPON_NOT_FOUND',
      });
      await expect(coupons.grpc.deleteByID({ id: UNKNOWN })).rejects.toMatchObject({ code: 'COUPON_NOT_FOUND' });
    });

    it('stay as they are while an order holds them', async () => {
      const coupon = await newCoupon();
      await coupons.grpc.couponUse(coupon, coupons.branch(randomUUID(), 'action'));
      const { couponID: id } = coupon;
      await expect(coupons.grpc.updateByID({ id, amount: 1 })).rejects.toMatchObject({ code: 'IN_USE' });
      await expect(coupons.grpc.deleteByID({ id })).rejects.toMatchObject({ code: 'IN_USE' });
      expect(await read(id)).toMatchObject({ amount: coupon.amount, status: CouponStatus.USED });
    });
  });

  describe('as sagas use them', () => {
    it('are held by the order of the saga and freed by its compensation, once each', async () => {
      const coupon = await newCoupon();
      const gid = randomUUID();
      for (let i = 0; i < 3; i++) await coupons.grpc.couponUse(coupon, coupons.branch(gid, 'action'));
      expect(await read(coupon.couponID)).toMatchObject({ status: CouponStatus.USED, orderID: gid });
      for (let i = 0; i < 3; i++) await coupons.grpc.couponUseRevert(coupon, coupons.branch(gid, 'compensate'));
      expect(await read(coupon.couponID)).toMatchObject({ status: CouponStatus.UNUSED, orderID: '' });
    });

    it('go to one of 20 parallel orders', async () => {
      const coupon = await newCoupon();
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, () => coupons.grpc.couponUse(coupon, coupons.branch(randomUUID(), 'action'))),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it.each([
      ["another user's", { userID: 1 }],
      ['unknown', { couponID: UNKNOWN }],
      ['of another value', { amount: 99 }],
    ])('are refused when %s', async (_, change) => {
      const coupon = await newCoupon();
      const call = coupons.grpc.couponUse({ ...coupon, ...change }, coupons.branch(randomUUID(), 'action'));
      await expect(call).rejects.toMatchObject({ grpcStatus: 10 });
      expect(await read(coupon.couponID)).toMatchObject({ status: CouponStatus.UNUSED, orderID: '' });
    });

    it('are refused when expired', async () => {
      const coupon = await newCoupon();
      await coupons.grpc.updateByID({ id: coupon.couponID, status: CouponStatus.EXPIRED });
      await expect(coupons.grpc.couponUse(coupon, coupons.branch(randomUUID(), 'action'))).rejects.toMatchObject({
        grpcStatus: 10,
      });
    });

    it('are not touched by calls without a signature', async () => {
      const coupon = await newCoupon();
      await expect(coupons.grpc.couponUse(coupon)).rejects.toMatchObject({ grpcStatus: 16 });
      expect(await coupons.http('POST', '/use', coupon)).toMatchObject({ status: 401 });
      expect(await coupons.http('POST', '/useRevert', coupon)).toMatchObject({ status: 401 });
      expect(await read(coupon.couponID)).toMatchObject({ status: CouponStatus.UNUSED });
    });
  });
});
