/** The services in the order in which they are shown; each lives in the repository eshop-<name>. */
export const serviceNames = ['product', 'stock', 'coupon', 'pay', 'order', 'user', 'gw'] as const;

export type ServiceName = (typeof serviceNames)[number];
