import { startService } from '@eshop/nest-service';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { AppModule } from './app.module.js';
import { configSchema } from './config.js';

await startService(AppModule, { contract: flashSaleContract, config: configSchema });
