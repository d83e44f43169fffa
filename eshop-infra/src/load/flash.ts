import type { Say } from '../base/say.ts';
import { type Answers, measureAnswers } from './answers.ts';
import { createGoods, setSale } from './goods.ts';
import { type Answer, HttpClient } from './http-client.ts';
import { type LoadTarget, type RunOptions, type RunReport, runOrders } from './orders-run.ts';

export interface FlashOptions extends RunOptions {
  /** Units of the sale. */
  units: number;
  /** Unit price, cents. */
  price: number;
  /** Each buyer has an id of its own, from this one on. */
  user: number;
  /** How long to ask a sale that is sold out, in seconds; 0 = not at all. */
  soldOutSeconds: number;
}

export interface FlashReport extends RunReport {
  options: FlashOptions;
  /** How a sale that is sold out answers. */
  soldOut: Answers | undefined;
}

/** The contract's code of a sale that has no unit left. */
const SOLD_OUT = 40_911;
const isSoldOut = ({ status, code }: Answer) => status === 409 && code === SOLD_OUT;

/** Buys in the flash sale of a new product as fast as a number of clients can, then asks one that is sold out. */
export async function loadFlash(
  target: LoadTarget,
  options: FlashOptions,
  say: Say = () => undefined,
): Promise<FlashReport> {
  const { clients, units, price, user } = options;
  const client = new HttpClient(target.gatewayUrl, clients);
  try {
    let buyers = 0;
    const buy = (productID: number) =>
      client.post('/api/v1/flashSale', JSON.stringify({ userID: user + buyers++, productID, amount: price }));
    say(`a sale of ${units} units`);
    const products = await createGoods(client, { products: 1, stockPerProduct: units, price });
    const [productID = 0] = products;
    await setSale(client, productID, units);
    const run = await runOrders({ ...target }, options, { products, send: () => buy(productID) }, say);
    const soldOut = options.soldOutSeconds > 0 ? await loadSoldOut(client, target, options, buy, say) : undefined;
    return { options, ...run, soldOut };
  } finally {
    client.close();
  }
}

/** Sells the only unit of a sale and asks for more. */
async function loadSoldOut(
  client: HttpClient,
  { processes }: LoadTarget,
  { clients, price, soldOutSeconds }: FlashOptions,
  buy: (productID: number) => Promise<Answer>,
  say: Say,
): Promise<Answers> {
  const [productID = 0] = await createGoods(client, { products: 1, stockPerProduct: 1, price });
  await setSale(client, productID, 1);
  await buy(productID);
  say(`asking a sale that is sold out with ${clients} clients for ${soldOutSeconds} s`);
  const send = () => buy(productID);
  return measureAnswers(processes, { clients, seconds: soldOutSeconds, send, wanted: isSoldOut });
}
