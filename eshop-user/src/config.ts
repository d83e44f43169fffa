import { type ServiceConfig, z } from '@eshop/nest-service';
import { mysqlSection } from '@eshop/nest-service/mysql';

/** The sections this service has beside those of every service. */
export const configSchema = z.object({ mysql: mysqlSection });

/** The whole configuration of this service. */
export type Config = ServiceConfig & z.infer<typeof configSchema>;
