import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { DtmCaller, freePort } from '@eshop/nest-dtm/testing';
import { eventually, startTestService, type TestService } from '@eshop/nest-service/testing';
import type { CallOptions } from '@eshop/proto';
import { StockClient, StockDeductRequest, stockClientContract, stockContract } from '@eshop/proto/stock';
import { AppModule } from '../src/app.module.js';
import { configSchema } from '../src/config.js';
import { FlashSalePeer } from './flash-sale-peer.js';

export interface Envelope {
  code: number;
  msg: string;
  data: Record<string, unknown>;
}

export interface Started {
  service: TestService<typeof configSchema>;
  grpc: StockClient;
  /** The flash sale service that this one has to do with. */
  flashSales: FlashSalePeer;
  /** The metadata with which DTM calls a branch of a saga that our order service has submitted; `grpc` adds the signature. */
  branch(gid: string, op: 'action' | 'compensate'): CallOptions;
  /** The same of a deduction, with the signature for just this call. */
  signedDeduct(gid: string, request: StockDeductRequest): CallOptions;
  /** A call of the service's own HTTP API, below /api/v1/stock. */
  http(method: string, path: string, body?: unknown): Promise<Envelope & { status: number }>;
  rows<T extends object>(sql: string, values?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

interface StartOptions {
  dtm?: Record<string, unknown>;
  flashSale?: Record<string, unknown>;
  grpc?: Record<string, unknown>;
}

/** The service on free ports, with a database of its own on the server that TEST_MYSQL_URL names, and the real DTM. */
export async function startStock({ dtm = {}, flashSale = {}, grpc = {} }: StartOptions = {}): Promise<Started> {
  const flashSales = await FlashSalePeer.start();
  const port = await freePort();
  const service = await startTestService(AppModule, {
    contract: stockContract,
    config: configSchema,
    overrides: {
      grpc: { port, ...grpc },
      grpcClients: { flashSale: { address: flashSales.address, deadlineMs: 2000, retries: 0, ...flashSale } },
      branches: { stock: `127.0.0.1:${port}`, flashSale: flashSales.address },
      dtm: { grpc: DTM.grpc, http: DTM.http, ...dtm },
    },
  }).catch((error: unknown) => {
    flashSales.close();
    throw error;
  });
  const caller = new DtmCaller({ signature: { keys: [{ id: 'k1', secret: service.config.dtm.secret }] } });
  return {
    service,
    flashSales,
    grpc: caller.signing(service.client<StockClient>(stockClientContract), stockClientContract.definition),
    branch: (gid, op) => ({ metadata: caller.metadata({ gid, op, branchId: '02' }) }),
    signedDeduct: (gid, request) => ({
      metadata: caller.metadata({ gid, branchId: '02' }, stockClientContract.definition.stockDeduct, request),
    }),
    http: (method, path, body) => call(`${service.http}/api/v1/stock${path}`, method, body),
    rows: async <T extends object>(sql: string, values: unknown[] = []) =>
      (await service.database?.query(sql, values)) as T[],
    close: async () => {
      await service.close();
      flashSales.close();
    },
  };
}

export async function call(url: string, method: string, body?: unknown): Promise<Envelope & { status: number }> {
  const response = await fetch(url, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: response.status, ...((await response.json()) as Envelope) };
}

const DTM = {
  grpc: process.env.TEST_DTM_GRPC ?? '127.0.0.1:36790',
  http: process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789',
};

/** The built service as a process of its own, so that it can be killed. */
export class StockProcess {
  private child: ChildProcess | undefined;

  constructor(
    private readonly database: Record<string, string>,
    private readonly flashSales: string,
    private readonly ports: { readonly http: number; readonly grpc: number },
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.ports.http}`;
  }

  async start(): Promise<void> {
    const own = `127.0.0.1:${this.ports.grpc}`;
    const env = {
      PATH: process.env.PATH,
      ...this.database,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(this.ports.http),
      GRPC_HOST: '127.0.0.1',
      GRPC_PORT: String(this.ports.grpc),
      LOG_LEVEL: 'silent',
      DTM_GRPC: DTM.grpc,
      DTM_HTTP: DTM.http,
      BRANCHES_STOCK: own,
      BRANCHES_FLASH_SALE: this.flashSales,
      GRPC_CLIENTS_FLASH_SALE_ADDRESS: this.flashSales,
    };
    this.child = spawn(process.execPath, ['dist/main.js'], { env, stdio: 'ignore' });
    const { child } = this;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error('the service ended; is it built?');
      const ready = await fetch(`${this.url}/ready`).catch(() => undefined);
      return ready?.ok ? true : undefined;
    }, 'the service to be ready');
  }

  async kill(): Promise<void> {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }
}
