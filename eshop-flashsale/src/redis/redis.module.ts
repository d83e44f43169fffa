import { CONFIG, Readiness } from '@eshop/nest-service';
import { Global, Inject, Logger, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Config } from '../config.js';
import { reconnectElsewhere } from './reconnect-elsewhere.js';
import { assertTakesWrites } from './takes-writes.js';

const MAX_RECONNECT_MS = 500;

/**
 * The connection to Redis. Calls of the same moment share a round trip. Nothing waits for a Redis that is away: a call fails
 * at once when there is no connection, after a second when there is no answer, and is never sent again behind its caller's back. A
 * server that is no master any more is left for the one that stands under its name now.
 */
@Global()
@Module({
  providers: [
    {
      provide: Redis,
      inject: [CONFIG],
      useFactory: ({ redis }: Config) =>
        new Redis(redis.url, {
          lazyConnect: true,
          enableAutoPipelining: true,
          enableOfflineQueue: false,
          // Its own check would wait at a replica that loads its master's data, also when the name stands for another server by now.
          enableReadyCheck: false,
          autoResendUnfulfilledCommands: false,
          maxRetriesPerRequest: 0,
          connectTimeout: redis.connectTimeoutMs,
          commandTimeout: redis.commandTimeoutMs,
          retryStrategy: (attempt) => Math.min(attempt * 50, MAX_RECONNECT_MS),
          reconnectOnError: reconnectElsewhere(),
        }),
    },
  ],
  exports: [Redis],
})
export class RedisModule implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private last = '';

  constructor(
    private readonly redis: Redis,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async onModuleInit(): Promise<void> {
    this.redis.on('error', (error: Error) => this.tell(error.message));
    this.redis.on('ready', () => this.tell(''));
    const key = `${this.config.flashSale.keyPrefix}ready`;
    this.readiness.register({ name: 'redis', check: () => assertTakesWrites(this.redis, key) });
    // A service that starts before Redis is there is not ready; it goes on trying by itself.
    await this.redis.connect().catch(() => undefined);
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }

  /** One line when it goes, one when it is back, not one for each attempt. */
  private tell(trouble: string): void {
    if (trouble === this.last) return;
    this.last = trouble;
    if (trouble) this.logger.warn(`cannot be reached: ${trouble}`);
    else this.logger.log('is reached');
  }
}
