import { dtmSection, type ServiceConfig, secret, z } from '@eshop/nest-service';
import { kafkaSection } from '@eshop/nest-service/kafka';

/** The sections this service has beside those of every service; `config/flashSale.yaml` holds what they mean. */
export const configSchema = z.object({
  redis: z.object({
    url: secret(z.url({ protocol: /^rediss?$/ })),
    connectTimeoutMs: z.int().min(100),
    commandTimeoutMs: z.int().min(50).max(2_000),
  }),
  kafka: kafkaSection,
  dtm: dtmSection,
  flashSale: z.object({
    topic: z.string().min(1),
    keyPrefix: z.string().regex(/^[^{}\s]*$/, 'must have no braces: the hash tag is the product id'),
    maxRunning: z.int().min(1).max(10_000),
    maxWaiting: z.int().min(0).max(100_000),
    maxWaitMs: z.int().min(0).max(60_000),
    backCheckAfterSeconds: z.int().min(3),
    retrySeconds: z.int().min(1),
  }),
  branches: z.object({
    flashSale: z.string().min(1).describe('gRPC address of this service, as the DTM server sees it'),
  }),
});

/** The whole configuration of this service. */
export type Config = ServiceConfig & z.infer<typeof configSchema>;
