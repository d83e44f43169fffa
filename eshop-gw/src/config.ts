import { z } from '@eshop/nest-service';

/** The gateway has no settings beyond those of every service; the addresses of the services are in `grpcClients`. */
export const configSchema = z.object({});
