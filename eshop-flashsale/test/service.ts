import { randomInt, randomUUID } from 'node:crypto';
import { type DtmCall, DtmCaller, freePort } from '@eshop/nest-dtm/testing';
import {
  type Answer,
  send,
  startTestService,
  type TestService,
  type TestTopic,
  testTopic,
} from '@eshop/nest-service/testing';
import type { CallOptions } from '@eshop/proto';
import {
  FlashSaleClient,
  flashSaleClientContract,
  flashSaleContract,
  type GrantUnitsRequest,
} from '@eshop/proto/flashsale';
import { Redis } from 'ioredis';
import { AppModule } from '../src/app.module.js';
import { configSchema } from '../src/config.js';
import { Books } from './books.js';

export const newProductID = () => randomInt(1, 2 ** 40);
export const newUserID = () => randomInt(1, 2 ** 40);

export const DTM = {
  grpc: process.env.TEST_DTM_REDIS_GRPC ?? '127.0.0.1:35790',
  http: process.env.TEST_DTM_REDIS_HTTP ?? 'http://127.0.0.1:35789',
};
export const REDIS_URL = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379';
export const SECRET = 'development-only-secret';

const caller = new DtmCaller({ signature: { keys: [{ id: 'k1', secret: SECRET }] } });

/** The metadata with which DTM calls a branch; the clients here add the signature. */
export function branch(call: DtmCall): CallOptions {
  return { metadata: caller.metadata(call) };
}

/** The metadata with which DTM makes one grant, signed for just that. */
export function signedGrant(gid: string, request: GrantUnitsRequest): CallOptions {
  return { metadata: caller.metadata({ gid }, flashSaleClientContract.definition.grantUnits, request) };
}

/** A gid with the hash tag of a product. */
export const gidOf = (productID: number) => `{${productID}}-${randomUUID()}`;

export interface Started {
  readonly service: TestService<typeof configSchema>;
  readonly grpc: FlashSaleClient;
  readonly redis: Redis;
  readonly topic: TestTopic;
  readonly books: Books;
  /** What all keys begin with. */
  readonly prefix: string;
  /** Begins a sale as the stock service's saga does; terms as given. */
  begin(productID: number, units: number, terms?: Partial<GrantUnitsRequest>): Promise<GrantUnitsRequest>;
  buy(body: object, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

interface StartOptions {
  redis?: Record<string, unknown>;
  dtm?: Record<string, unknown>;
  flashSale?: Record<string, unknown>;
  topic?: TestTopic;
}

/** Lets a grant be made through any client of the service. */
export async function beginSale(
  grpc: FlashSaleClient,
  productID: number,
  units: number,
  terms: Partial<GrantUnitsRequest> = {},
): Promise<GrantUnitsRequest> {
  const request: GrantUnitsRequest = {
    ...{ productID, saleID: randomInt(1, 2 ** 40), version: 1, units, withdrawn: 0, limitPerUser: 0 },
    ...{ opensAtMs: 0, closesAtMs: 0, status: 1, begins: 1 },
    ...terms,
  };
  await grpc.grantUnits(request, branch({ gid: gidOf(productID) }));
  return request;
}

/** The service on free ports with keys and a topic of its own, on the real Redis, DTM and Kafka. */
export async function startFlashSale({
  redis = {},
  dtm = {},
  flashSale = {},
  topic,
}: StartOptions = {}): Promise<Started> {
  const ownTopic = topic ?? (await testTopic(3, 'flash'));
  const books = await Books.start();
  const port = await freePort();
  const prefix = `test-${randomUUID()}:`;
  const inspector = new Redis(REDIS_URL);
  const peer = { address: books.address, deadlineMs: 2000, retries: 0 };
  const service = await startTestService(AppModule, {
    contract: flashSaleContract,
    config: configSchema,
    overrides: {
      grpc: { port },
      branches: { flashSale: `127.0.0.1:${port}` },
      redis: { url: REDIS_URL, ...redis },
      kafka: { brokers: ownTopic.brokers },
      dtm: { ...DTM, secret: SECRET, ...dtm },
      flashSale: { keyPrefix: prefix, topic: ownTopic.name, backCheckAfterSeconds: 3, retrySeconds: 1, ...flashSale },
      grpcClients: { stock: peer, order: peer },
    },
  });
  const grpc = caller.signing(
    service.client<FlashSaleClient>(flashSaleClientContract),
    flashSaleClientContract.definition,
  );
  return {
    service,
    grpc,
    redis: inspector,
    topic: ownTopic,
    books,
    prefix,
    begin: (productID, units, terms) => beginSale(grpc, productID, units, terms),
    buy: (body, headers) => send('POST', `${service.http}/api/v1/flashSale`, body, headers),
    close: async () => {
      await service.close();
      books.close();
      const keys = await inspector.keys(`${prefix}*`);
      if (keys.length > 0) await inspector.del(...keys);
      inspector.disconnect();
      if (!topic) await ownTopic.drop();
    },
  };
}
