import { dtmSection, type ServiceConfig, z } from '@eshop/nest-service';
import { mysqlSection } from '@eshop/nest-service/mysql';

/** The sections this service has beside those of every service; `config/stock.yaml` holds what they mean. */
export const configSchema = z.object({
  mysql: mysqlSection,
  dtm: dtmSection,
  branches: z.object({
    stock: z.string().min(1).describe('gRPC address of this service, as the DTM server sees it'),
    flashSale: z.string().min(1).describe('the same of the flash sale service'),
  }),
});

/** The whole configuration of this service. */
export type Config = ServiceConfig & z.infer<typeof configSchema>;
