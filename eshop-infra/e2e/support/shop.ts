import { randomInt } from 'node:crypto';
import { type Answer, call, expectOk } from './http.ts';
import { gateway, service } from './system.ts';
import { eventually } from './wait.ts';

/** An order row as the API shows it; amounts are cents. */
export interface Order {
  orderID: string;
  userID: number;
  productID: number;
  productCount: number;
  amount: number;
  couponID: number;
  status: number;
  price: number;
  couponAmount: number;
}

export interface OrderLookup {
  orderID: string;
  state: string;
  reason: string;
  transaction: string;
  order?: Order;
  pay?: { id: number; userID: number; orderID: string; amount: number; status: number };
}

export interface Submitted {
  orderID: string;
  state: string;
  reason: string;
}

/** A user id that no other test has. */
export const newUserID = (): number => randomInt(1_000_000, 2 ** 40);

/** Creates a product with `stock` units at `price` cents and returns its id. */
export async function newProduct({ price = 500, stock = 10 } = {}): Promise<number> {
  const product = { name: `e2e ${crypto.randomUUID()}`, price, photo: '', description: '' };
  const { id } = await expectOk(call<{ id: number }>('POST', `${gateway()}/api/v1/product`, product));
  await expectOk(call('POST', `${gateway()}/api/v1/stock`, { productID: id, stock }));
  return id;
}

/** Creates an unused coupon and returns its id. */
export async function newCoupon(userID: number, amount = 100): Promise<number> {
  const { id } = await expectOk(call<{ id: number }>('POST', `${gateway()}/api/v1/coupon`, { userID, amount }));
  return id;
}

interface SubmitFields {
  userID?: number;
  productID: number;
  productCount?: number;
  amount?: number;
  couponID?: number;
  waitResult?: boolean;
}

/** Submits an order at the gateway, whatever comes of it. */
export function submit(fields: SubmitFields, headers: Record<string, string> = {}): Promise<Answer<Submitted>> {
  const order = { userID: newUserID(), productCount: 1, amount: 1, couponID: 0, ...fields };
  return call<Submitted>('POST', `${gateway()}/api/v1/order/submit`, order, headers);
}

export const lookUp = (orderID: string): Promise<Answer<OrderLookup>> =>
  call<OrderLookup>('GET', `${gateway()}/api/v1/order/${orderID}`);

/** The order once it is final. A service that has just come back may be 503 to those who called it meanwhile: asked again. */
export function finalState(orderID: string, timeoutMs?: number): Promise<OrderLookup> {
  return eventually(
    async () => {
      const answer = await lookUp(orderID);
      if (answer.status === 503) return undefined;
      const found = await expectOk(Promise.resolve(answer));
      return found.state === 'pending' || found.state === 'queued' ? undefined : found;
    },
    `order ${orderID} to become final`,
    timeoutMs,
  );
}

/** Puts an order into the queue at the gateway, whatever comes of it. */
export function submitQueued(
  fields: SubmitFields,
  headers: Record<string, string> = {},
): Promise<Answer<{ orderID: string }>> {
  const order = { userID: newUserID(), productCount: 1, amount: 1, couponID: 0, ...fields };
  return call('POST', `${gateway()}/api/v1/order/sendSubmitNotify`, order, headers);
}

/** The row of a list whose column has this value; there must be just one. */
async function only<T>(name: string, list: string, column: string, value: string | number): Promise<T> {
  const params = {
    page: 0,
    limit: 2,
    sort: '',
    columns: [{ name: column, exp: '=', value: String(value), logic: '' }],
  };
  const data = await expectOk(call<Record<string, T[]>>('POST', `${service(name)}/api/v1/${name}/list`, { params }));
  const rows = data[list] ?? [];
  if (rows.length !== 1 || rows[0] === undefined)
    throw new Error(`${rows.length} rows of ${name} with ${column} ${value}`);
  return rows[0];
}

/** Units of a product in stock. */
export async function unitsOf(productID: number): Promise<number> {
  return (await only<{ stock: number }>('stock', 'stocks', 'product_id', productID)).stock;
}

/** A coupon as it stands. */
export const couponOf = (id: number): Promise<{ status: number; orderID: string }> =>
  only('coupon', 'coupons', 'id', id);
