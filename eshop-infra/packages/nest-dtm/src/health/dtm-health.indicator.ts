import type { Client } from '@grpc/grpc-js';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { describe } from '../branch/answer.js';
import type { CheckedModuleOptions } from '../dtm-options.js';
import { DtmInvalidOption } from '../errors.js';
import { grpcJs } from '../server/grpc-js.js';
import { queryPath } from '../server/query-path.js';
import { DTM_OPTIONS } from '../tokens.js';
import { type BranchSync, probeBranchSync } from './branch-sync.js';
import { callApi } from './dtm-api.js';

/** What to check. */
export interface DtmHealthOptions {
  /** Name of the DTM server. Default `default`. */
  server?: string;
  /** Longest time of the check, milliseconds. Default 2000. */
  timeoutMs?: number;
}

/** One server's health. */
export interface DtmHealth {
  /** Whether it can take transactions. */
  status: 'up' | 'down';
  /** Why not. */
  message?: string;
}

/** The form Terminus has for the result of an indicator, under the key it was asked with. */
export type DtmHealthResult<Key extends string = string> = Record<Key, DtmHealth>;

/** One finished transaction, the same for all who ask: writing to it again leaves no trace. */
const GID = 'nest-dtm-health';

/**
 * Whether a DTM server can take transactions: the listener in use answers, and its store takes a write. DTM's own `/api/ping`
 * answers while the store is down, and a full Redis still reads.
 *
 * For Terminus: `health.check([() => dtmHealth.check('dtm')])`. It never throws.
 */
@Injectable()
export class DtmHealthIndicator implements OnApplicationShutdown {
  readonly #clients = new Map<string, Client>();

  constructor(@Inject(DTM_OPTIONS) private readonly options: CheckedModuleOptions) {}

  /** Checks one server. */
  async check<Key extends string>(
    key: Key,
    { server = 'default', timeoutMs = 2_000 }: DtmHealthOptions = {},
  ): Promise<DtmHealthResult<Key>> {
    const { http, grpc, protocol } = this.#server(server);
    try {
      const listens = grpc === undefined || protocol === 'http' ? undefined : this.#grpcAnswers(grpc, timeoutMs);
      await Promise.all([listens, storeTakesWrites(http, timeoutMs)]);
      return { [key]: { status: 'up' } } as DtmHealthResult<Key>;
    } catch (error) {
      return { [key]: { status: 'down', message: describe(error) } } as DtmHealthResult<Key>;
    }
  }

  /**
   * Whether the server keeps branch progress at once. Runs up to three tiny sagas, which stay in DTM's store.
   *
   * @throws {DtmProtocolError} the server answered what DTM does not
   */
  branchSync({ server = 'default', timeoutMs = 2_000 }: DtmHealthOptions = {}): Promise<BranchSync> {
    return probeBranchSync(this.#server(server).http, 3, timeoutMs);
  }

  /** Closes what the checks have opened. */
  onApplicationShutdown(): void {
    for (const client of this.#clients.values()) client.close();
  }

  #server(name: string) {
    const server = this.options.servers[name];
    if (!server) throw new DtmInvalidOption('server', `there is no "${name}" among the module's servers`);
    return server;
  }

  #grpcAnswers(address: string, timeoutMs: number): Promise<void> {
    let client = this.#clients.get(address);
    if (!client) {
      const { Client, credentials } = grpcJs('grpc');
      client = new Client(address, credentials.createInsecure(), {
        'grpc.max_reconnect_backoff_ms': 1_000,
        'grpc.service_config_disable_resolution': 1,
      });
      this.#clients.set(address, client);
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    client.makeUnaryRequest(
      '/dtmgimp.Dtm/NewGid',
      () => Buffer.alloc(0),
      () => true,
      null,
      { deadline: Date.now() + timeoutMs },
      (error) => (error ? reject(new Error(`gRPC at ${address}: ${error.details}`)) : resolve()),
    );
    return promise;
  }
}

/** Makes the known transaction due now, which writes in every store. A final one is due to nobody. */
async function storeTakesWrites(http: string, timeoutMs: number): Promise<void> {
  const touch = () => callApi(http, '/api/dtmsvr/resetNextCronTime', timeoutMs, { gid: GID });
  let { status, body } = await touch();
  if (status !== 200) {
    const known = await callApi(http, queryPath(GID), timeoutMs);
    if (known.status === 200 && JSON.parse(known.body).transaction === null) {
      const prepared = await callApi(http, '/api/dtmsvr/prepare', timeoutMs, {
        gid: GID,
        trans_type: 'msg',
        steps: [],
        payloads: [],
      });
      if (prepared.status === 200) await callApi(http, '/api/dtmsvr/abort', timeoutMs, { gid: GID, trans_type: 'msg' });
      ({ status, body } = await touch());
    }
  }
  if (status !== 200) throw new Error(`the store takes no write: ${status} ${body.slice(0, 200)}`);
}
