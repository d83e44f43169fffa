import { startService } from '@eshop/nest-service';
import { userContract } from '@eshop/proto/user';
import { AppModule } from './app.module.js';
import { configSchema } from './config.js';

await startService(AppModule, { contract: userContract, config: configSchema });
