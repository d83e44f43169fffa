import { randomUUID } from 'node:crypto';
import { freePort } from '@eshop/nest-dtm/testing';
import { startTestService, type TestService, type TestTopic } from '@eshop/nest-service/testing';
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
  rows<T>(sql: string, params?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

export interface StartOptions {
  /** Where queued orders go; without one, to a topic that does not exist. */
  topic?: TestTopic;
  /** More settings of the section `kafka`. */
  kafka?: Record<string, unknown>;
  mysql?: Record<string, unknown>;
  /** Settings of the section `order`. */
  order?: Record<string, unknown>;
  dtm?: Record<string, unknown>;
  /** Default: peers of its own. */
  peers?: Peers;
}

/** The products that a look-up by ids asks for; each exists but NO_PRODUCT. */
export function productsOf(request: Record<string, unknown>): Product[] {
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

/** Settings of an order service whose peers are scripted, and whose gRPC is on this port, where DTM finds it. */
export function settings(port: number, peers: Peers, options: StartOptions): Record<string, object> {
  const { order = {}, dtm = {}, topic, kafka = {}, mysql } = options;
  const client = { address: peers.address, deadlineMs: 2000, retries: 0 };
  return {
    grpc: { port },
    grpcClients: { product: client, coupon: client },
    branches: {
      order: `127.0.0.1:${port}`,
      stock: peers.address,
      coupon: peers.address,
      pay: peers.address,
      flashSale: peers.address,
    },
    dtm: {
      grpc: process.env.TEST_DTM_GRPC ?? '127.0.0.1:36790',
      http: process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789',
      ...dtm,
    },
    kafka: {
      brokers: topic?.brokers ?? (process.env.TEST_KAFKA ?? '127.0.0.1:9092').split(','),
      orderTopic: topic?.name ?? `none-${randomUUID()}`,
      orderGroup: `order-${randomUUID()}`,
      consumer: { sessionTimeoutMs: 6000, heartbeatMs: 500, fetchWaitMs: 50, retryMinMs: 50, retryMaxMs: 1000 },
      ...kafka,
    },
    ...(mysql && { mysql }),
    order: { priceCacheMs: 0, relayIntervalMs: 100, relayAfterSeconds: 2, sagaRetrySeconds: 1, ...order },
  };
}

/** Peers that know the price of every product but one. */
export async function startPeers(): Promise<Peers> {
  const peers = await Peers.start();
  return peers.on('product.list', (request) => ({ total: 0, products: productsOf(request) }));
}

/** The order service with a database of its own, the real DTM server, and scripted peers. */
export async function startOrder(options: StartOptions = {}): Promise<Started> {
  const peers = options.peers ?? (await startPeers());
  const starting = startTestService(AppModule, {
    contract: orderContract,
    config: configSchema,
    overrides: settings(await freePort(), peers, options),
  });
  const service = await starting.catch((error: unknown) => {
    peers.close();
    throw error;
  });
  return {
    service,
    orders: service.client<OrderClient>(orderClientContract),
    peers,
    rows: async <T>(sql: string, params: unknown[] = []) => (await service.database?.query(sql, params)) as T[],
    close: async () => {
      await service.close();
      peers.close();
    },
  };
}
