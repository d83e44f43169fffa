import { startService } from '@eshop/nest-service';
import { eshopContract } from '@eshop/proto/gateway';
import { AppModule } from './app.module.js';
import { configSchema } from './config.js';
import { modules } from './management/modules.js';

await startService(AppModule, { contract: eshopContract, config: configSchema, modules });
