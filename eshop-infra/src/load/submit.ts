import type { Say } from '../base/say.ts';
import { createGoods } from './goods.ts';
import { HttpClient } from './http-client.ts';
import { type LoadTarget, type RunOptions, type RunReport, runOrders } from './orders-run.ts';

export interface SubmitOptions extends RunOptions {
  products: number;
  stockPerProduct: number;
  /** The user who orders. */
  user: number;
  /** Units per order. */
  units: number;
  /** Unit price, cents. */
  price: number;
  /** Lets the gateway answer only when the order has ended. */
  waitResult?: boolean;
  /** Puts the orders into the queue instead of starting them at once. */
  queued?: boolean;
}

export interface SubmitReport extends RunReport {
  options: SubmitOptions;
}

/** Places orders for new products as fast as a number of clients can, and reads from the books what became of them. */
export async function loadSubmit(
  target: LoadTarget,
  options: SubmitOptions,
  say: Say = () => undefined,
): Promise<SubmitReport> {
  const { units, price, user, waitResult = false, queued = false } = options;
  const client = new HttpClient(target.gatewayUrl, options.clients);
  try {
    say(`putting ${options.products} products on sale`);
    const products = await createGoods(client, options);
    const order = { userID: user, productCount: units, amount: price * units, couponID: 0 };
    const body = (productID: number) => JSON.stringify({ productID, ...order, ...(queued ? {} : { waitResult }) });
    const bodies = products.map(body);
    const path = queued ? '/api/v1/order/sendSubmitNotify' : '/api/v1/order/submit';
    const send = () => client.post(path, bodies[Math.floor(Math.random() * bodies.length)] ?? '');
    return { options, ...(await runOrders(target, options, { products, send }, say)) };
  } finally {
    client.close();
  }
}
