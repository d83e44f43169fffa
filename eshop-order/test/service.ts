import { createServer } from 'node:net';
import { Signer } from '@eshop/nest-dtm';
import { startTestService, type TestService } from '@eshop/nest-service/testing';
import { OrderClient, orderClientContract, orderContract } from '@eshop/proto/order';
import type { ListProductRequest, Product } from '@eshop/proto/product';
import { AppModule } from '../src/app.module.js';
import { configSchema } from '../src/config.js';
import { Peers } from './peers.js';

/** Price of every product that the peers know, cents. */
export const PRICE = 250;
/** A product that does not exist. */
export const NO_PRODUCT = 404;

export interface Started {
  service: TestService<typeof configSchema>;
  orders: OrderClient;
  peers: Peers;
  signer: Signer;
  rows<T>(sql: string, params?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

interface StartOptions {
  /** Settings of the section `order`. */
  order?: Record<string, unknown>;
  dtm?: Record<string, unknown>;
}

/** A free port, for a service whose branches DTM must be told before it listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The products that a look-up by ids asks for; each exists but NO_PRODUCT. */
function productsOf(request: Record<string, unknown>): Product[] {
  const { params } = request as Partial<ListProductRequest>;
  const ids = params?.columns[0]?.value.split(',').map(Number) ?? [];
  return ids
    .filter((id) => id !== NO_PRODUCT)
    .map((id) => ({
      id,
      price: PRICE,
      name: 'p',
      photo: '',
      description: '',
      createdAt: '',
      updatedAt: '',
      version: 1,
    }));
}

/** The order service with a database of its own, the real DTM server, and scripted peers. */
export async function startOrder({ order = {}, dtm = {} }: StartOptions = {}): Promise<Started> {
  const peers = await Peers.start();
  peers.on('product.list', (request) => ({ total: 0, products: productsOf(request) }));
  const port = await freePort();
  const client = { address: peers.address, deadlineMs: 2000, retries: 0 };
  const starting = startTestService(AppModule, {
    contract: orderContract,
    config: configSchema,
    overrides: {
      grpc: { port },
      grpcClients: { product: client, coupon: client },
      branches: { order: `127.0.0.1:${port}`, stock: peers.address, coupon: peers.address, pay: peers.address },
      dtm: {
        grpc: process.env.TEST_DTM_GRPC ?? '127.0.0.1:36790',
        http: process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789',
        ...dtm,
      },
      order: { priceCacheMs: 0, relayIntervalMs: 100, relayAfterSeconds: 2, sagaRetrySeconds: 1, ...order },
    },
  });
  const service = await starting.catch((error: unknown) => {
    peers.close();
    throw error;
  });
  return {
    service,
    orders: service.client<OrderClient>(orderClientContract),
    peers,
    signer: new Signer({ keys: [{ id: 'k1', secret: service.config.dtm.secret }] }),
    rows: async <T>(sql: string, params: unknown[] = []) => (await service.database?.query(sql, params)) as T[],
    close: async () => {
      await service.close();
      peers.close();
    },
  };
}

/** Asks until there is an answer; fails when there is none in time. */
export async function eventually<T>(ask: () => Promise<T | undefined>, what: string, timeoutMs = 25_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
