/** The keys of a product's sale. The hash tag keeps them on one node of a Redis Cluster, together with DTM's barrier keys. */
export interface SaleKeys {
  /** Hash: saleID, version, status, left, sold, limit, opens, closes; while units are withdrawn, `withdrawing`: the saga's gid. */
  readonly sale: string;
  /** Hash: order id → user id, of the orders that hold a unit. */
  readonly units: string;
  /** Hash: user id → units. */
  readonly users: string;
}

export function saleKeys(prefix: string, productID: number): SaleKeys {
  const key = `${prefix}{${productID}}:`;
  return { sale: `${key}sale`, units: `${key}units`, users: `${key}users` };
}
