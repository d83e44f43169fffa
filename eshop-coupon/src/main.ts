import { startService } from '@eshop/nest-service';
import { couponContract } from '@eshop/proto/coupon';
import { AppModule } from './app.module.js';
import { configSchema } from './config.js';

await startService(AppModule, { contract: couponContract, config: configSchema });
