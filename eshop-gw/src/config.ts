import { z } from '@eshop/nest-service';

/** The section this service has beside those of every service; the addresses of the services are in `grpcClients`. */
export const configSchema = z.object({
  gateway: z
    .object({
      /** Whether the routes for those who run the shop are there: detail, update, delete. They ask nobody who he is. */
      management: z.boolean().default(false),
      /** How long a flash sale that was sold out is taken to be so without asking; 0 = asked each time. */
      soldOutMs: z.int().min(0).max(5_000).default(200),
    })
    .prefault({}),
});
