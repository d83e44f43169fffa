import { once } from 'node:events';
import { stockContract } from '@eshop/proto/stock';
import { startService } from '../../src/index.js';
import { AppConfig, AppModule } from './app.module.js';
import { Probe } from './stock.controllers.js';

/** The test application as a process: tells its parent its ports, and when a held call has arrived. */
const service = await startService(AppModule, { contract: stockContract, config: AppConfig });
const probe = service.app.get(Probe);
probe.hold = process.env.HOLD === 'true';
probe.on('called', () => process.send?.({ called: true }));
process.on('message', (message) => probe.emit(String(message)));
process.send?.({ httpPort: service.httpPort, grpcPort: service.grpcPort });
await once(process, 'disconnect');
