/** Where the audit finds each database. All stand on one server, so that one snapshot shows them at the same instant. */
export interface Schemas {
  order: string;
  stock: string;
  coupon: string;
  pay: string;
  /** The store of DTM-MySQL. */
  dtm: string;
}

export const defaultSchemas: Schemas = {
  order: 'eshop_order',
  stock: 'eshop_stock',
  coupon: 'eshop_coupon',
  pay: 'eshop_pay',
  dtm: 'dtm',
};
