/** Where the audit finds each database. All stand on one server, so that one snapshot shows them at the same instant. */
export interface Schemas {
  order: string;
  stock: string;
  coupon: string;
  pay: string;
  /** The store of DTM-MySQL. */
  dtm: string;
  /** `host:port` of the order service as DTM calls it or has called it, since other shops may share the DTM server; `%` = any. */
  orderAddresses: readonly string[];
}

export const defaultSchemas: Schemas = {
  order: 'eshop_order',
  stock: 'eshop_stock',
  coupon: 'eshop_coupon',
  pay: 'eshop_pay',
  dtm: 'dtm',
  orderAddresses: ['%'],
};

/** Where DTM calls the order service. */
export interface OrderPorts {
  orderGrpc: number;
  orderBranches: number;
}

/** The schemas of an instance of the stack. */
export function schemasOf(ports: OrderPorts): Schemas {
  // the balancer's is in the sagas of a time when there were replicas
  return {
    ...defaultSchemas,
    orderAddresses: [ports.orderGrpc, ports.orderBranches].map((port) => `127.0.0.1:${port}`),
  };
}

/** The names of the databases alone. */
export function schemaNames({ order, stock, coupon, pay, dtm }: Schemas): string[] {
  return [order, stock, coupon, pay, dtm];
}
