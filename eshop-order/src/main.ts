import { startService } from '@eshop/nest-service';
import { orderContract } from '@eshop/proto/order';
import { AppModule } from './app.module.js';
import { configSchema } from './config.js';

await startService(AppModule, { contract: orderContract, config: configSchema });
