import { startService } from '@eshop/nest-service';
import { eshopContract } from '@eshop/proto/gateway';
import { AppModule } from './app.module.js';
import { configSchema } from './config.js';

await startService(AppModule, { contract: eshopContract, config: configSchema });
