/** Where the audit finds each database. All stand on one server, so that one snapshot shows them at the same instant. */
export interface Schemas {
  order: string;
  stock: string;
  coupon: string;
  pay: string;
  /** The store of DTM-MySQL. */
  dtm: string;
  /**
   * The first branches of order sagas as DTM calls them or has called them, since other shops may share the DTM server:
   * `host:port/service/method`, with `%` for any host and port.
   */
  firstBranches: readonly string[];
}

const enterOrder = 'api.order.v1.order/Create';
const takeUnits = 'api.stock.v1.stock/StockDeduct';

export const defaultSchemas: Schemas = {
  order: 'eshop_order',
  stock: 'eshop_stock',
  coupon: 'eshop_coupon',
  pay: 'eshop_pay',
  dtm: 'dtm',
  firstBranches: [`%/${enterOrder}`, `%/${takeUnits}`],
};

/** Where DTM calls the services that serve the first branches of order sagas. */
export interface BranchPorts {
  orderGrpc: number;
  orderBranches: number;
  stockGrpc: number;
  stockBranches: number;
}

/** The schemas of an instance of the stack. */
export function schemasOf(ports: BranchPorts): Schemas {
  const at = (port: number, method: string) => `127.0.0.1:${port}/${method}`;
  // the balancer's are in the sagas of a time when there were replicas
  return {
    ...defaultSchemas,
    firstBranches: [
      at(ports.orderGrpc, enterOrder),
      at(ports.orderBranches, enterOrder),
      at(ports.stockGrpc, takeUnits),
      at(ports.stockBranches, takeUnits),
    ],
  };
}

/** The names of the databases alone. */
export function schemaNames({ order, stock, coupon, pay, dtm }: Schemas): string[] {
  return [order, stock, coupon, pay, dtm];
}
