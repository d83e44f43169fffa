import { startService } from '@eshop/nest-service';
import { payContract } from '@eshop/proto/pay';
import { AppModule } from './app.module.js';
import { configSchema } from './config.js';

await startService(AppModule, { contract: payContract, config: configSchema });
