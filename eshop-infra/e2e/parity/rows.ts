import { randomInt, randomUUID } from 'node:crypto';
import { call, expectOk } from '../support/http.ts';
import { newCoupon, newProduct, newUserID, submit } from '../support/shop.ts';
import { service } from '../support/system.ts';
import { eventually } from '../support/wait.ts';
import type { Fields } from './contracts.ts';
import { type BranchCall, signedBranch } from './send.ts';

/** A request made ready to be sent, with data of its own behind it. */
export interface Prepared {
  request: Fields;
  /** For a branch: as whom DTM calls. */
  branch?: BranchCall;
  /** What the call changes, and what must be as before when it is refused. Absent where it changes nothing. */
  state?(): Promise<unknown>;
  /** Leaves the books as they were. */
  undo?(): Promise<void>;
}

/** How one rpc is tried. */
export interface Row {
  valid(): Promise<Prepared>;
  /** A request for each code that the contract says it refuses with. */
  refusals?: Record<string, () => Promise<Prepared>>;
  /** Codes whose cause does not fit here: the specs of the service show them. */
  elsewhere?: string[];
  /** Only whoever DTM is may call it, and only when a sale or an order is under way: here it is shown to be closed. */
  closed?: true;
}

const UNKNOWN = 9_007_199_254_740_991;
const newOrderID = () => Array.from({ length: 26 }, () => randomInt(10)).join('');
const mark = () => randomUUID().replaceAll('-', '');
const newEmail = () => `${mark().slice(0, 20)}@example.com`;

/** The rows of a service's table with one of these values. */
async function find(name: string, list: string, values: Fields): Promise<Fields[]> {
  const columns = Object.entries(values).map(([column, value]) => ({
    name: column,
    value: String(value),
    logic: 'or',
  }));
  const params = { page: 0, limit: 100, sort: 'id', columns };
  return (await expectOk(call<Record<string, Fields[]>>('POST', `${service(name)}/api/v1/${name}/list`, { params })))[
    list
  ] as Fields[];
}

/** A record as it is shown, or that it is not there. */
async function shown(name: string, id: unknown): Promise<unknown> {
  const { status, data } = await call('GET', `${service(name)}/api/v1/${name}/${id}`);
  return { status, data };
}

async function create(name: string, values: Fields): Promise<number> {
  return (await expectOk(call<{ id: number }>('POST', `${service(name)}/api/v1/${name}`, values))).id;
}

const newUserValues = (): Fields => ({
  name: mark(),
  password: 'correct horse 🫖',
  email: newEmail(),
  phone: '+4912345678',
  avatar: '',
  age: 30,
  gender: 2,
  status: 1,
  loginAt: 1_767_323_045,
  loginType: 4,
});
const newProductValues = (): Fields => ({ name: mark(), price: 100, photo: '', description: mark() });
const newStockValues = (): Fields => ({ productID: randomInt(2 ** 40, 2 ** 44), stock: 7 });
const newCouponValues = (): Fields => ({ userID: newUserID(), amount: randomInt(1, 2 ** 31), status: 1 });

interface Crud {
  name: string;
  list: string;
  notFound: string;
  values(): Fields;
  /** The columns that tell a new record apart, whichever of them is broken. */
  marks(values: Fields): Fields;
  change(): Fields;
  moreUpdates?: Row['refusals'];
  moreDeletes?: Row['refusals'];
  moreCreates?: Row['refusals'];
  elsewhere?: { update?: string[]; delete?: string[] };
}

const listRow: Row = { valid: async () => ({ request: { params: { page: 0, limit: 2, sort: '', columns: [] } } }) };

/** The rows of the five rpcs that every table has. */
function crud(table: Crud): Record<string, Row> {
  const { name, notFound } = table;
  const one = async (more: Fields = {}): Promise<Prepared> => {
    const id = await create(name, table.values());
    return { request: { id, ...more }, state: () => shown(name, id) };
  };
  const unknown =
    (more: Fields = {}) =>
    async (): Promise<Prepared> => ({ request: { id: UNKNOWN, ...more } });
  return {
    create: {
      valid: async () => {
        const request = table.values();
        return { request, state: () => find(name, table.list, table.marks(request)) };
      },
      refusals: table.moreCreates ?? {},
    },
    getByID: {
      valid: async () => ({ request: (await one()).request }),
      refusals: { [notFound]: unknown() },
    },
    updateByID: {
      valid: () => one(table.change()),
      refusals: { [notFound]: unknown(table.change()), ...table.moreUpdates },
      elsewhere: table.elsewhere?.update ?? [],
    },
    deleteByID: {
      valid: () => one(),
      refusals: { [notFound]: unknown(), ...table.moreDeletes },
      elsewhere: table.elsewhere?.delete ?? [],
    },
    list: listRow,
  };
}

/** A record that was changed since the version that the request names. */
function outdated(name: string, values: () => Fields, change: Fields): () => Promise<Prepared> {
  return async () => {
    const id = await create(name, values());
    return { request: { id, ...change, version: 7 }, state: () => shown(name, id) };
  };
}

const user = crud({
  name: 'user',
  list: 'users',
  notFound: 'USER_NOT_FOUND',
  values: newUserValues,
  marks: ({ name, email }) => ({ name, email }),
  change: () => ({ name: mark(), age: 0, phone: '' }),
  moreCreates: {
    ALREADY_EXISTS: async () => {
      const values = newUserValues();
      await create('user', values);
      const request: Fields = { ...newUserValues(), email: values.email };
      return { request, state: () => find('user', 'users', { name: request.name, email: request.email }) };
    },
  },
  moreUpdates: {
    VERSION_CONFLICT: outdated('user', newUserValues, { age: 1 }),
    ALREADY_EXISTS: async () => {
      const { email } = newUserValues();
      await create('user', { ...newUserValues(), email });
      const id = await create('user', newUserValues());
      return { request: { id, email }, state: () => shown('user', id) };
    },
  },
});

const product = crud({
  name: 'product',
  list: 'products',
  notFound: 'PRODUCT_NOT_FOUND',
  values: newProductValues,
  marks: ({ name, description }) => ({ name, description }),
  change: () => ({ price: 250, photo: '' }),
  moreUpdates: { VERSION_CONFLICT: outdated('product', newProductValues, { price: 1 }) },
});

/** A coupon that an order holds. */
async function heldCoupon(): Promise<number> {
  const userID = newUserID();
  const id = await newCoupon(userID);
  await expectOk(submit({ userID, productID: await newProduct(), couponID: id, waitResult: true }));
  return id;
}

const coupon: Record<string, Row> = {
  ...crud({
    name: 'coupon',
    list: 'coupons',
    notFound: 'COUPON_NOT_FOUND',
    values: newCouponValues,
    marks: ({ userID, amount }) => ({ user_id: userID, amount }),
    change: () => ({ amount: 3, status: 3 }),
    moreUpdates: {
      VERSION_CONFLICT: outdated('coupon', newCouponValues, { amount: 1 }),
      ILLEGAL_STATUS: async () => {
        const id = await create('coupon', newCouponValues());
        return { request: { id, status: 2 }, state: () => shown('coupon', id) };
      },
      IN_USE: async () => {
        const id = await heldCoupon();
        return { request: { id, amount: 1 }, state: () => shown('coupon', id) };
      },
    },
    moreDeletes: {
      IN_USE: async () => {
        const id = await heldCoupon();
        return { request: { id }, state: () => shown('coupon', id) };
      },
    },
  }),
  couponUse: branchRow(async () => {
    const userID = newUserID();
    const couponID = await newCoupon(userID, 20);
    return { request: { couponID, userID, amount: 20 }, state: () => shown('coupon', couponID) };
  }, '/coupon/useRevert'),
};
coupon.couponUseRevert = revertRow(coupon.couponUse as Row, '/coupon/use');

/** The books of a product: its stock record and its flash sale. */
async function salesBooks(productID: unknown): Promise<unknown> {
  const sale = await call('GET', `${service('stock')}/api/v1/stock/flashSale/${productID}`);
  return [await find('stock', 'stocks', { product_id: productID }), sale.status, sale.data];
}

/** A product with a running flash sale. */
export async function newSale(allotted = 5, more: Fields = {}): Promise<number> {
  const productID = await newProduct({ stock: 20 });
  const request = { productID, stock: 20, allotted, ...more };
  await expectOk(call('POST', `${service('stock')}/api/v1/stock/setFlashSale`, request));
  return productID;
}

const withSale = (more: Fields) => async (): Promise<Prepared> => {
  const productID = await newSale();
  return { request: { productID, ...more }, state: () => salesBooks(productID) };
};
const withoutSale = (more: Fields) => async (): Promise<Prepared> => {
  const productID = await newProduct();
  return { request: { productID, ...more }, state: () => salesBooks(productID) };
};
const SALE_ELSEWHERE = ['CONFLICT', 'FLASH_SALE_LOST'];

const stock: Record<string, Row> = {
  ...crud({
    name: 'stock',
    list: 'stocks',
    notFound: 'STOCK_NOT_FOUND',
    values: newStockValues,
    marks: ({ productID }) => ({ product_id: productID }),
    change: () => ({ stock: 0 }),
    moreCreates: {
      ALREADY_EXISTS: async () => {
        const values = newStockValues();
        await create('stock', values);
        return { request: values, state: () => find('stock', 'stocks', { product_id: values.productID }) };
      },
    },
    elsewhere: {
      update: ['ALREADY_EXISTS', 'FIELD_IMMUTABLE', 'IN_USE', 'CONFLICT', 'VERSION_CONFLICT'],
      delete: ['IN_USE', 'CONFLICT'],
    },
  }),
  stockDeduct: branchRow(async () => {
    const productID = await newProduct();
    return {
      request: { productID, productCount: 3, saleID: 0 },
      state: () => find('stock', 'stocks', { product_id: productID }),
    };
  }, '/stock/deductRevert'),
  applySale: closedRow(async () => {
    const productID = await newProduct();
    const request = { productID, saleID: 1, version: 1, stock: 5, granted: 5, status: 1 };
    return { request, state: () => salesBooks(productID) };
  }),
  setFlashSaleStock: {
    valid: async () => {
      const productID = await newProduct();
      return { request: { productID, stock: 20, allotted: 5 }, state: () => salesBooks(productID) };
    },
    refusals: { STOCK_NOT_FOUND: async () => ({ request: { productID: UNKNOWN, stock: 1, allotted: 1 } }) },
    elsewhere: SALE_ELSEWHERE,
  },
  getFlashSale: {
    valid: async () => ({ request: { productID: await newSale() } }),
    refusals: { NOT_FOUND: withoutSale({}) },
  },
  listFlashSale: listRow,
  updateFlashSale: {
    valid: withSale({ limitPerUser: 2, closesAt: '2099-12-31T23:59:59.999Z' }),
    refusals: { NOT_FOUND: withoutSale({ limitPerUser: 2 }) },
    elsewhere: SALE_ELSEWHERE,
  },
  deleteFlashSale: {
    valid: withSale({}),
    refusals: { NOT_FOUND: withoutSale({}) },
    elsewhere: SALE_ELSEWHERE,
  },
};
stock.stockDeductRevert = revertRow(stock.stockDeduct as Row, '/stock/deduct');

interface Placed {
  orderID: string;
  userID: number;
}

async function placed(values: { stock?: number } = {}): Promise<Placed> {
  const userID = newUserID();
  const productID = await newProduct(values);
  const { orderID } = await expectOk(submit({ userID, productID, waitResult: true }));
  return { orderID, userID };
}

async function rowOf(name: string, list: string, orderID: string): Promise<Fields> {
  const [row] = await find(name, list, { order_id: orderID });
  if (!row) throw new Error(`order ${orderID} has no row in ${name}`);
  return row;
}

const orderRow = (more: Fields) => async (): Promise<Prepared> => {
  const { id } = await rowOf('order', 'orders', (await placed()).orderID);
  return { request: { id, ...more }, state: () => shown('order', id) };
};
const payRow = (more: Fields) => async (): Promise<Prepared> => {
  const { id } = await rowOf('pay', 'pays', (await placed()).orderID);
  return { request: { id, ...more }, state: () => shown('pay', id) };
};

/** An order whose row is there and cancelled: its saga found too little stock. */
async function cancelledOrder(): Promise<Prepared> {
  const { orderID } = await placed({ stock: 0 });
  const id = await eventually(
    async () => (await find('order', 'orders', { order_id: orderID })).find(({ status }) => status === 5)?.id,
    `order ${orderID} to be cancelled`,
  );
  return { request: { id }, state: () => shown('order', id) };
}

/** A request to buy, and the orders that came of it. */
async function purchase(more: Fields = {}): Promise<Prepared> {
  const userID = newUserID();
  const productID = await newProduct();
  const request = { userID, productID, productCount: 1, amount: 500, couponID: 0, ...more };
  return { request, state: () => find('order', 'orders', { user_id: userID, product_id: productID }) };
}

async function purchaseWithCoupon(spoil: (coupon: Fields) => Promise<void> | void, amount = 100): Promise<Prepared> {
  const prepared = await purchase();
  const values: Fields = { userID: prepared.request.userID, amount };
  const id = await newCoupon(values.userID as number, amount);
  const found: Fields = { id, ...values };
  await spoil(found);
  return { ...prepared, request: { ...prepared.request, userID: found.userID, couponID: id } };
}

const set = (name: string, id: unknown, values: Fields) =>
  expectOk(call('PUT', `${service(name)}/api/v1/${name}/${id}`, values));

const newOrderBranch = async (): Promise<Prepared> => {
  const orderID = newOrderID();
  const request = {
    orderID,
    userID: newUserID(),
    productID: await newProduct(),
    amount: 500,
    productCount: 1,
    couponID: 0,
    price: 500,
    couponAmount: 0,
    saleID: 0,
  };
  return {
    request,
    branch: { gid: orderID, op: 'action' },
    state: () => find('order', 'orders', { order_id: orderID }),
  };
};

const order: Record<string, Row> = {
  submit: {
    valid: () => purchase({ waitResult: true }),
    refusals: {
      PRODUCT_NOT_FOUND: () => purchase({ productID: UNKNOWN }),
      COUPON_NOT_FOUND: () => purchase({ couponID: UNKNOWN }),
      COUPON_NOT_OWNED: () =>
        purchaseWithCoupon((found) => {
          found.userID = newUserID();
        }),
      COUPON_ALREADY_USED: async () => {
        const prepared = await purchaseWithCoupon(() => undefined);
        const { userID, couponID } = prepared.request as { userID: number; couponID: number };
        await expectOk(submit({ userID, productID: await newProduct(), couponID, waitResult: true }));
        // An order of this user is there already: what must not change is the orders of the product.
        const productID = prepared.request.productID;
        return { ...prepared, state: () => find('order', 'orders', { product_id: productID }) };
      },
      COUPON_EXPIRED: () =>
        purchaseWithCoupon(async ({ id }) => {
          await set('coupon', id, { status: 3 });
        }),
      COUPON_VALUE_TOO_HIGH: () => purchaseWithCoupon(() => undefined, 501),
      AMOUNT_TOO_LARGE: () => purchase({ productCount: 4_294_967_295 }),
    },
    elsewhere: ['STOCK_INSUFFICIENT', 'AMOUNT_MISMATCH', 'TOO_MANY_REQUESTS'],
  },
  sendSubmitOrderNotify: { valid: () => purchase(), elsewhere: ['TOO_MANY_REQUESTS'] },
  create: branchRow(newOrderBranch, '/order/createRevert', 'order'),
  getByOrderID: {
    valid: async () => ({ request: { orderID: (await placed()).orderID } }),
    refusals: { ORDER_NOT_FOUND: async () => ({ request: { orderID: newOrderID() } }) },
  },
  saleOrders: { valid: async () => ({ request: { productID: await newProduct(), saleID: 1 } }) },
  deleteByID: {
    valid: cancelledOrder,
    refusals: { ORDER_NOT_FOUND: async () => ({ request: { id: UNKNOWN } }), IN_USE: orderRow({}) },
  },
  updateByID: {
    valid: orderRow({ status: 2 }),
    refusals: {
      ORDER_NOT_FOUND: async () => ({ request: { id: UNKNOWN, status: 2 } }),
      FIELD_IMMUTABLE: orderRow({ amount: 1 }),
      ILLEGAL_STATUS: orderRow({ status: 4 }),
    },
  },
  getByID: {
    valid: async () => ({ request: (await orderRow({})()).request }),
    refusals: { ORDER_NOT_FOUND: async () => ({ request: { id: UNKNOWN } }) },
  },
  list: listRow,
};
order.createRevert = revertRow(order.create as Row, '/order/create', 'order');

const newPayBranch = async (): Promise<Prepared> => {
  const orderID = newOrderID();
  const request = { orderID, userID: newUserID(), amount: 500 };
  return { request, branch: { gid: orderID, op: 'action' }, state: () => find('pay', 'pays', { order_id: orderID }) };
};

const pay: Record<string, Row> = {
  create: branchRow(newPayBranch, '/pay/createRevert', 'pay'),
  getByOrderID: {
    valid: async () => ({ request: { orderID: (await placed()).orderID } }),
    refusals: { PAY_NOT_FOUND: async () => ({ request: { orderID: newOrderID() } }) },
  },
  deleteByID: {
    valid: async () => {
      const { request } = await newPayBranch();
      const { orderID } = request as { orderID: string };
      await branchCall('/pay/create', request, { gid: orderID, op: 'action' });
      await branchCall('/pay/createRevert', request, { gid: orderID, op: 'compensate' });
      const { id } = await rowOf('pay', 'pays', orderID);
      const undo = async () => {
        await call('DELETE', `${service('pay')}/api/v1/pay/${id}`);
      };
      return { request: { id }, state: () => shown('pay', id), undo };
    },
    refusals: { PAY_NOT_FOUND: async () => ({ request: { id: UNKNOWN } }), IN_USE: payRow({}) },
  },
  updateByID: {
    valid: payRow({ status: 2 }),
    refusals: {
      PAY_NOT_FOUND: async () => ({ request: { id: UNKNOWN, status: 2 } }),
      FIELD_IMMUTABLE: payRow({ amount: 1 }),
      ILLEGAL_STATUS: payRow({ status: 4 }),
    },
  },
  getByID: {
    valid: async () => ({ request: (await payRow({})()).request }),
    refusals: { PAY_NOT_FOUND: async () => ({ request: { id: UNKNOWN } }) },
  },
  list: listRow,
};
pay.createRevert = revertRow(pay.create as Row, '/pay/create', 'pay');

/** The counter of a sale and what users hold of it. */
const counter = async (productID: unknown) =>
  (await call('GET', `${service('flashsale')}/api/v1/flashSale/sale/${productID}`)).data;

async function buyer(productID: number, userID = newUserID()): Promise<Prepared> {
  return { request: { userID, productID, amount: 500 }, state: () => counter(productID) };
}

const buy = ({ request }: Prepared) =>
  expectOk(call<{ orderID: string }>('POST', `${service('flashsale')}/api/v1/flashSale`, request));

const flashSale: Record<string, Row> = {
  flashSale: {
    valid: async () => buyer(await newSale()),
    refusals: {
      FLASH_SALE_NOT_OPEN: async () => buyer(await newProduct()),
      FLASH_SALE_SOLD_OUT: async () => {
        const productID = await newSale(1);
        await buy(await buyer(productID));
        return buyer(productID);
      },
      FLASH_SALE_LIMIT_REACHED: async () => {
        const productID = await newSale(5, { limitPerUser: 1 });
        const prepared = await buyer(productID);
        await buy(prepared);
        return prepared;
      },
    },
    elsewhere: ['TOO_MANY_REQUESTS', 'FLASH_SALE_LOST'],
  },
  getByOrderID: {
    valid: async () => ({ request: await buy(await buyer(await newSale())) }),
    refusals: { ORDER_NOT_FOUND: async () => ({ request: { orderID: newOrderID() } }) },
  },
  getSale: { valid: async () => ({ request: { productID: await newSale() } }) },
  rebuildSale: {
    ...closedRow(async () => ({ request: { productID: await newProduct() } })),
    refusals: { NOT_FOUND: async () => ({ request: { productID: await newProduct() } }) },
    elsewhere: ['CONFLICT'],
  },
  withdrawUnits: closedRow(() => saleBranch({ version: 2, units: 1 })),
  withdrawUnitsRevert: closedRow(() => saleBranch({ version: 2, units: 1 })),
  grantUnits: closedRow(() => saleBranch({ version: 2, units: 3, status: 1 })),
  returnUnit: closedRow(() => saleBranch({ orderID: newOrderID() })),
  redisQueryPrepared: closedRow(async () => ({ request: {} })),
  sendSubmitOrderNotify: closedRow(() =>
    saleBranch({ userID: newUserID(), productCount: 1, amount: 500, couponID: 0, orderID: newOrderID() }),
  ),
};

async function saleBranch(more: Fields): Promise<Prepared> {
  const productID = await newSale();
  const { saleID } = await counter(productID);
  return { request: { productID, saleID, ...more }, state: () => counter(productID) };
}

/** The rows of every service's rpcs. */
export const rows: Record<string, Record<string, Row>> = { user, product, order, stock, coupon, pay, flashSale };

/** The rpc behind each method of the gateway, whose row it shares; a list or a lookup has a request of its own. */
export const gatewayRows: Record<string, { service: string; rpc: string; request?: Row['valid'] }> = {
  createUser: { service: 'user', rpc: 'create' },
  createProduct: { service: 'product', rpc: 'create' },
  getProduct: { service: 'product', rpc: 'getByID' },
  submitOrder: { service: 'order', rpc: 'submit' },
  sendSubmitOrderNotify: { service: 'order', rpc: 'sendSubmitOrderNotify' },
  getOrder: { service: 'order', rpc: 'getByOrderID' },
  getPay: { service: 'pay', rpc: 'getByOrderID' },
  createCoupon: { service: 'coupon', rpc: 'create' },
  createStock: { service: 'stock', rpc: 'create' },
  setFlashSaleStock: { service: 'stock', rpc: 'setFlashSaleStock' },
  flashSale: { service: 'flashSale', rpc: 'flashSale' },
  ...Object.fromEntries(
    ['User', 'Product', 'Order', 'Coupon', 'Stock'].map((name) => [
      `list${name}`,
      { service: name.toLowerCase(), rpc: 'list', request: async () => ({ request: { page: 0, limit: 2 } }) },
    ]),
  ),
};

function closedRow(valid: Row['valid']): Row {
  return { valid, closed: true };
}

/** A branch call as DTM makes it, which must succeed. */
async function branchCall(path: string, request: Fields, branch: BranchCall): Promise<void> {
  const [, name = ''] = path.split('/');
  await expectOk(signedBranch(`${service(name)}/api/v1${path}`, request, branch));
}

/** Removes the cancelled record that a branch and its compensation leave behind. */
async function removeRecord(name: string, orderID: unknown): Promise<void> {
  const { id } = await rowOf(name, `${name}s`, orderID as string);
  await expectOk(call('DELETE', `${service(name)}/api/v1/${name}/${id}`));
}

/** An action of a saga that nobody submitted; its compensation leaves the books as they were. */
function branchRow(prepare: () => Promise<Prepared>, compensation: string, record?: string): Row {
  return {
    valid: async () => {
      const prepared = await prepare();
      const branch = prepared.branch ?? { gid: newOrderID(), op: 'action' };
      const undo = async () => {
        await branchCall(compensation, prepared.request, { ...branch, op: 'compensate' });
        if (record) await removeRecord(record, prepared.request.orderID);
      };
      return { ...prepared, branch, undo };
    },
  };
}

/** The compensation of an action that was carried out. */
function revertRow(action: Row, path: string, record?: string): Row {
  return {
    valid: async () => {
      const { request, branch, state } = await action.valid();
      if (!branch || !state) throw new Error('an action is called by DTM and changes something');
      await branchCall(path, request, branch);
      const undo = async () => {
        if (record) await removeRecord(record, request.orderID);
      };
      return { request, branch: { ...branch, op: 'compensate' }, state, undo };
    },
  };
}
