/** The services in the order in which they are shown; each lives in the repository eshop-<name>. */
export const serviceNames = ['product', 'stock', 'coupon', 'pay', 'order', 'user', 'flashsale', 'gw'] as const;

export type ServiceName = (typeof serviceNames)[number];

/** The name of a service in the contract, by which the configurations of others know it. */
export function contractName(name: ServiceName): string {
  return name === 'flashsale' ? 'flashSale' : name;
}

/** The services that keep a database of their own: the gateway keeps nothing, a flash sale lives in Redis. */
export const servicesWithDatabase: readonly ServiceName[] = serviceNames.filter(
  (name) => name !== 'gw' && name !== 'flashsale',
);
