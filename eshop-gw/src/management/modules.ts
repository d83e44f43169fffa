import type { ConfigOf } from '@eshop/nest-service';
import type { Type } from '@nestjs/common';
import type { configSchema } from '../config.js';
import { ManagementModule } from './management.module.js';

/** What the settings add to the gateway. A route whose module is left out does not exist: 404, and not in Swagger. */
export function modules({ gateway }: ConfigOf<typeof configSchema>): readonly Type[] {
  return gateway.management ? [ManagementModule] : [];
}
