import { z } from 'zod';
import { secret } from './secret.js';

const port = z.int().min(0).max(65535);
const milliseconds = z.int().min(0);
const atATime = (count: number, meaning: string) => z.int().min(1).default(count).describe(meaning);

/** What the connections to all other services have in common. */
export const grpcConnectionsSection = z.object({
  keepaliveMs: z.int().min(100).default(2_000).describe('time between two pings on a connection to another service'),
  keepaliveTimeoutMs: z
    .int()
    .min(100)
    .default(3_000)
    .describe('how long the answer to a ping may take; then the connection, and what waits on it, is given up'),
  dnsIntervalMs: milliseconds.default(2_000).describe('shortest time between two look-ups of the name of a service'),
  failuresInARow: z
    .int()
    .min(1)
    .default(3)
    .describe('calls in a row that a replica leaves without an answer in time, before it gets no more for a while'),
  leaveOutMs: milliseconds
    .default(10_000)
    .describe('how long it gets none while another replica is better; longer each time, up to six times'),
});

/** Ports that a service listens on when its configuration names none; null = no gRPC listener. */
export interface PortDefaults {
  readonly name: string;
  readonly httpPort: number;
  readonly grpcPort: number | null;
}

/**
 * The sections that every service has. Each key has a default, so that a configuration file states only what differs, and a
 * description, which the README of a service shows.
 */
export function baseSections(defaults: PortDefaults) {
  return {
    app: z
      .object({
        name: z.string().min(1).default(defaults.name).describe('name in logs, metrics and Swagger'),
        version: z.string().default('0.0.0').describe('version in Swagger'),
        env: z.string().default('development').describe('a word for people; nothing depends on it'),
      })
      .prefault({}),
    http: z
      .object({
        host: z.string().default('0.0.0.0').describe('address that HTTP listens on'),
        port: port.default(defaults.httpPort).describe('port of HTTP; 0 = any free one'),
        bodyLimit: z.int().min(1024).default(1_048_576).describe('bytes; a larger body is answered 413'),
        requestTimeoutMs: milliseconds
          .default(30_000)
          .describe('time to receive a request, and the time its calls to other services may take at most'),
        maxInFlight: atATime(6_000, 'requests at a time; more are answered 429 at once'),
        maxConnections: atATime(16_000, 'connections at a time; more are closed at once'),
        showConfig: z
          .boolean()
          .default(true)
          .describe('whether /config shows the settings, secrets hidden; not where strangers reach the port'),
      })
      .prefault({}),
    grpc: z
      .object({
        host: z.string().default('0.0.0.0').describe('address that gRPC listens on'),
        port: port.default(defaults.grpcPort ?? 0).describe('port of gRPC; 0 = any free one'),
        maxMessageBytes: z
          .int()
          .min(1024)
          .default(4_194_304)
          .describe('a larger request is refused with RESOURCE_EXHAUSTED'),
        maxInFlight: atATime(
          6_000,
          'calls at a time; more are refused with RESOURCE_EXHAUSTED, but not those of a transaction that runs already',
        ),
        maxConnectionAgeMs: milliseconds
          .default(20_000)
          .describe(
            'how long a connection takes new calls, give or take a tenth; then its client looks the name up again and finds new replicas; 0 = for ever',
          ),
        maxConnectionAgeGraceMs: milliseconds
          .default(60_000)
          .describe('how long calls may go on upon a connection that takes no new ones'),
      })
      .prefault({}),
    replies: z
      .object({
        bytesAtOnce: z
          .int()
          .min(1_048_576)
          .default(8_388_608)
          .describe(
            'bytes of replies over 64 KiB that are made and sent at a time, over HTTP and gRPC; more wait their turn, so that large pages do not use up the memory',
          ),
        waitMs: milliseconds
          .default(2_000)
          .describe(
            'how long such a reply may wait for its turn; then it is answered 429. Less than the deadline of those who call',
          ),
      })
      .prefault({}),
    log: z
      .object({
        level: z
          .enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'])
          .default('info')
          .describe('what is logged: this and what is worse'),
      })
      .prefault({}),
    shutdown: z
      .object({
        drainMs: milliseconds.default(10_000).describe('how long requests under way may take once SIGTERM has come'),
        delayMs: milliseconds
          .default(0)
          .describe('how long to answer "not ready" before draining, for load balancers to notice'),
      })
      .prefault({}),
    /** Other services by the name of their contract. */
    grpcClients: z
      .record(
        z.string(),
        z.object({
          address: z.string().min(1).describe('where it is: host:port, or a target such as dns:///stock:30382'),
          deadlineMs: z.int().min(1).default(3_000).describe('longest time of a call, its repeats included'),
          retries: z
            .int()
            .min(0)
            .max(10)
            .default(2)
            .describe('repeats of a call that changes nothing, when the service is unavailable'),
        }),
      )
      .default({}),
    grpcConnections: grpcConnectionsSection.prefault({}),
  };
}

/** What every service's configuration has. */
export type ServiceConfig = z.infer<z.ZodObject<ReturnType<typeof baseSections>>>;

/** The section `dtm` of a service that runs or serves distributed transactions. */
export const dtmSection = z.object({
  grpc: z.string().min(1).describe("host:port of the DTM server's gRPC"),
  http: z.url().describe("the same server's HTTP API"),
  secret: secret().describe('signs the calls of branches; the same in every service that takes part in transactions'),
});
