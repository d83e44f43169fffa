import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '@eshop/nest-dtm/testing';
import { eventually, type TestTopic } from '@eshop/nest-service/testing';
import { DTM } from './service.js';

/** The built service as a process of its own, so that it can be killed. */
export class ServiceProcess {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly env: Record<string, string>,
    readonly url: string,
  ) {}

  static async create(redisUrl: string, prefix: string, topic: TestTopic): Promise<ServiceProcess> {
    const [http, grpc] = [await freePort(), await freePort()];
    const env = {
      ...{ HTTP_HOST: '127.0.0.1', HTTP_PORT: String(http), GRPC_HOST: '127.0.0.1', GRPC_PORT: String(grpc) },
      ...{ LOG_LEVEL: 'silent', REDIS_URL: redisUrl, KAFKA_BROKERS: topic.brokers.join(',') },
      ...{ DTM_GRPC: DTM.grpc, DTM_HTTP: DTM.http, BRANCHES_FLASH_SALE: `127.0.0.1:${grpc}` },
      ...{ FLASH_SALE_TOPIC: topic.name, FLASH_SALE_KEY_PREFIX: prefix },
      ...{ FLASH_SALE_BACK_CHECK_AFTER_SECONDS: '3', FLASH_SALE_RETRY_SECONDS: '1' },
    };
    return new ServiceProcess(env, `http://127.0.0.1:${http}`);
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, ['dist/main.js'], {
      env: { PATH: process.env.PATH, ...this.env },
      stdio: 'ignore',
    });
    this.child = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error('the service ended; is it built?');
      const ready = await fetch(`${this.url}/ready`).catch(() => undefined);
      return ready?.ok || undefined;
    }, 'the service to be ready');
  }

  async kill(): Promise<void> {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }
}
