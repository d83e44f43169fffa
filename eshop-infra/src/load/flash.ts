import { closedLoop } from './closed-loop.ts';
import { CpuMeter, type CpuUsage } from './cpu.ts';
import { createGoods, setSale } from './goods.ts';
import { type Answer, HttpClient } from './http-client.ts';
import { type LoadTarget, type RunOptions, type RunReport, runOrders, type Say } from './orders-run.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

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

/** How a sale that is sold out answers. */
export interface SoldOutReport {
  seconds: number;
  answered: number;
  answeredPerSecond: number;
  /** As the client saw it, in ms. */
  answer: Percentiles;
  errors: Record<string, number>;
  cpu: CpuUsage[];
}

export interface FlashReport extends RunReport {
  options: FlashOptions;
  soldOut: SoldOutReport | undefined;
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
): Promise<SoldOutReport> {
  const [productID = 0] = await createGoods(client, { products: 1, stockPerProduct: 1, price });
  await setSale(client, productID, 1);
  await buy(productID);
  say(`asking a sale that is sold out with ${clients} clients for ${soldOutSeconds} s`);
  const meter = new CpuMeter([...processes, { name: 'load', pid: process.pid }]);
  const loop = await closedLoop({ clients, seconds: soldOutSeconds, send: () => buy(productID), wanted: isSoldOut });
  return {
    seconds: loop.seconds,
    answered: loop.ok,
    answeredPerSecond: loop.ok / loop.seconds,
    answer: percentiles(loop.latencies),
    errors: loop.errors,
    cpu: meter.usage(),
  };
}
