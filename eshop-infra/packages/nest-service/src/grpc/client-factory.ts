import { type CallOptions, type ClientContract, ContractError, type GrpcClientFactory } from '@eshop/proto';
import {
  type ChannelOptions,
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { OnApplicationShutdown } from '@nestjs/common';
import { ConfigError, envName, type ServiceConfig } from '../config/index.js';
import { grpcConnectionsSection } from '../config/sections.js';
import { requestContext } from '../context/index.js';
import { fromGrpcError, isRefusedStream, isServerGone } from '../errors/from-grpc-error.js';
import type { Metrics } from '../metrics/metrics.js';
import { opened, received } from './large-message.js';
import { outlierServiceConfig } from './outliers.js';
import { SharedReads } from './shared-reads.js';

type Method = MethodDefinition<unknown, unknown>;
type ClientSettings = ServiceConfig['grpcClients'][string];

/** Where the other services are, and the connections to them, by default as in `grpcConnectionsSection`. */
export type ClientsConfig = Pick<ServiceConfig, 'grpcClients'> & Partial<Pick<ServiceConfig, 'grpcConnections'>>;

const CHANNEL = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': 33_554_432,
  // statistics that nobody reads
  'grpc.enable_channelz': 0,
  // Else whoever answers for DNS could change how calls are spread.
  'grpc.service_config_disable_resolution': 1,
} as const;
const BACKOFF_MS = 25;
/** How often a call is made again that no server has begun. */
const REFUSALS = 3;

/**
 * Clients of other services: a deadline on every call (from the configuration, never later than that of the request at
 * hand), repeats for rpcs without side effects, and of any that no server has begun, the request's ids passed on, errors as ContractError. Equal calls of an rpc
 * without side effects that wait at the same time are made once, so that a crowd that looks at one thing costs no more than two.
 */
export class ConfiguredClientFactory implements GrpcClientFactory, OnApplicationShutdown {
  private readonly clients: Client[] = [];

  constructor(
    private readonly config: ClientsConfig,
    private readonly metrics: Metrics,
  ) {}

  create<T extends object>(contract: ClientContract): T {
    const settings = this.config.grpcClients[contract.name];
    if (!settings) {
      const path = ['grpcClients', contract.name, 'address'];
      throw new ConfigError([{ path: path.join('.'), env: envName(path), message: 'is missing' }], 'gRPC clients');
    }
    const client = new Client(settings.address, credentials.createInsecure(), this.channelOptions());
    this.clients.push(client);
    const reads = new SharedReads<unknown>();
    const methods = Object.entries(contract.definition).map(([key, definition]) => {
      const safe = contract.safe.includes(key);
      const rpc = definition.path.slice(definition.path.lastIndexOf('/') + 1);
      const method = definition as Method;
      const send = (request: unknown, options: CallOptions = {}) =>
        this.call(client, contract, rpc, method, settings, safe, request, options);
      if (!safe) return [key, (request: unknown, options?: CallOptions) => opened(send(request, options))];
      const read = (request: unknown, options?: CallOptions) =>
        opened(
          options
            ? send(request, options)
            : shared(reads, rpc + method.requestSerialize(request).toString('latin1'), () => send(request)),
        );
      return [key, read];
    });
    return Object.fromEntries(methods) as T;
  }

  private channelOptions(): ChannelOptions {
    const settings = this.config.grpcConnections ?? grpcConnectionsSection.parse({});
    const { keepaliveMs, keepaliveTimeoutMs, dnsIntervalMs, failuresInARow, leaveOutMs } = settings;
    return {
      ...CHANNEL,
      'grpc.keepalive_time_ms': keepaliveMs,
      'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.dns_min_time_between_resolutions_ms': dnsIntervalMs,
      'grpc.service_config': outlierServiceConfig({ failures: failuresInARow, leaveOutMs }),
    };
  }

  onApplicationShutdown(): void {
    for (const client of this.clients) client.close();
  }

  private async call(
    client: Client,
    contract: ClientContract,
    rpc: string,
    definition: Method,
    settings: ClientSettings,
    safe: boolean,
    request: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    const context = requestContext();
    // A read needs none, and its answer may differ each time.
    const idempotencyKey = safe ? undefined : context?.idempotencyKey;
    const retries = safe ? settings.retries : 0;
    const deadline = Math.min(
      Date.now() + (options.deadlineMs ?? settings.deadlineMs),
      context?.deadline ?? Number.POSITIVE_INFINITY,
    );
    let refusals = 0;
    for (let attempt = 0; ; ) {
      const metadata = new Metadata();
      if (context) {
        metadata.set('request_id', context.requestID);
        metadata.set('traceparent', context.traceparent);
      }
      if (idempotencyKey !== undefined) metadata.set('idempotency-key', idempotencyKey);
      for (const key in options.metadata) metadata.set(key, options.metadata[key] ?? '');
      const started = performance.now();
      try {
        const reply = await unary(client, definition, request, metadata, deadline);
        this.metrics.grpcClient.observe(performance.now() - started, contract.fullName, rpc, status.OK);
        return reply;
      } catch (error) {
        const failure = error as ServiceError;
        this.metrics.grpcClient.observe(performance.now() - started, contract.fullName, rpc, failure.code);
        const pause = BACKOFF_MS * 2 ** attempt * (0.5 + Math.random());
        const again = isRefusedStream(failure) ? refusals++ < REFUSALS : isServerGone(failure) && attempt++ < retries;
        if (!again || Date.now() + pause >= deadline) throw fromGrpcError(failure, contract.name);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }
}

/** One call for all who wait for the same answer. Whoever made it may have had less time than the others. */
async function shared(reads: SharedReads<unknown>, key: string, call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await reads.get(key, call);
  } catch (error) {
    const end = requestContext()?.deadline ?? Number.POSITIVE_INFINITY;
    if (error instanceof ContractError && error.code === 'DEADLINE_EXCEEDED' && Date.now() < end) return call();
    throw error;
  }
}

function unary(client: Client, method: Method, request: unknown, metadata: Metadata, deadline: number) {
  return new Promise<unknown>((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      (bytes) => received(method, bytes),
      request,
      metadata,
      { deadline },
      (error, reply) => (error ? reject(error) : resolve(reply)),
    );
  });
}
