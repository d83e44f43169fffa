import { startService } from '@eshop/nest-service';
import { productContract } from '@eshop/proto/product';
import { AppModule } from './app.module.js';
import { configSchema } from './config.js';

await startService(AppModule, { contract: productContract, config: configSchema });
