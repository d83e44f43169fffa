import { startService } from '@eshop/nest-service';
import { stockContract } from '@eshop/proto/stock';
import { AppModule } from './app.module.js';
import { configSchema } from './config.js';

await startService(AppModule, { contract: stockContract, config: configSchema });
