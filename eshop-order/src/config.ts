import { dtmSection, type ServiceConfig, z } from '@eshop/nest-service';
import { kafkaConsumerSection, kafkaSection } from '@eshop/nest-service/kafka';
import { mysqlSection } from '@eshop/nest-service/mysql';

const branch = z.string().min(1);

/** The order service's own settings; `config/order.yaml` holds their defaults and what they mean. */
export const configSchema = z.object({
  mysql: mysqlSection,
  dtm: dtmSection,
  kafka: kafkaSection.extend({
    orderTopic: z.string().min(1),
    orderGroup: z.string().min(1).describe("the consumers' group"),
    consumer: kafkaConsumerSection,
  }),
  order: z.object({
    amount: z.enum(['compute', 'verify', 'trust']),
    priceCacheMs: z.int().min(0).max(60_000),
    maxRunning: z.int().min(1).max(10_000),
    maxWaiting: z.int().min(0).max(100_000),
    maxWaitMs: z.int().min(0).max(60_000),
    resultWaitMs: z.int().min(100).max(60_000),
    sagaTimeoutSeconds: z.int().min(30),
    sagaRetrySeconds: z.int().min(1),
    relayIntervalMs: z.int().min(50),
    relayAfterSeconds: z.int().min(1),
    queueOverdueSeconds: z.int().min(1),
    queueRunning: z.int().min(1).max(10_000),
    queueRunningBusy: z.int().min(1).max(10_000),
  }),
  branches: z.object({
    order: branch.describe('gRPC address of this service, as the DTM server sees it'),
    stock: branch.describe('the same of the stock service'),
    coupon: branch.describe('the same of the coupon service'),
    pay: branch.describe('the same of the pay service'),
    flashSale: branch.describe('the same of the flash sale service'),
  }),
});

/** The whole configuration of this service. */
export type OrderConfig = ServiceConfig & z.infer<typeof configSchema>;
