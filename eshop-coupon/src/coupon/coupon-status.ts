/** The states of a coupon, as the contract numbers them. */
export const CouponStatus = { unused: 1, used: 2, expired: 3 } as const;
