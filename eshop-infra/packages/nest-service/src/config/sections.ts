import { z } from 'zod';
import { secret } from './secret.js';

const port = z.int().min(0).max(65535);
const milliseconds = z.int().min(0);

/** Ports that a service listens on when its configuration names none; null = no gRPC listener. */
export interface PortDefaults {
  readonly name: string;
  readonly httpPort: number;
  readonly grpcPort: number | null;
}

/** The sections that every service has. Each key has a default, so that a configuration file states only what differs. */
export function baseSections(defaults: PortDefaults) {
  return {
    app: z
      .object({
        /** Name in logs, metrics and Swagger. */
        name: z.string().min(1).default(defaults.name),
        version: z.string().default('0.0.0'),
        /** A word for people, such as development or production; nothing depends on it. */
        env: z.string().default('development'),
      })
      .prefault({}),
    http: z
      .object({
        host: z.string().default('0.0.0.0'),
        /** 0 = any free port. */
        port: port.default(defaults.httpPort),
        /** Largest request body in bytes; more is refused with 413. */
        bodyLimit: z.int().min(1024).default(1_048_576),
        /** Time to receive a request, and the time its calls to other services may take at most. */
        requestTimeoutMs: milliseconds.default(30_000),
        /** Whether /config shows the settings, secrets hidden; not where strangers reach the port. */
        showConfig: z.boolean().default(true),
      })
      .prefault({}),
    grpc: z
      .object({
        host: z.string().default('0.0.0.0'),
        port: port.default(defaults.grpcPort ?? 0),
        /** Largest request in bytes; more is refused with RESOURCE_EXHAUSTED. */
        maxMessageBytes: z.int().min(1024).default(4_194_304),
      })
      .prefault({}),
    log: z
      .object({ level: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info') })
      .prefault({}),
    shutdown: z
      .object({
        /** How long requests in flight may take to finish after SIGTERM. */
        drainMs: milliseconds.default(10_000),
        /** Wait between "not ready" and the end of listening, for load balancers to notice. */
        delayMs: milliseconds.default(0),
      })
      .prefault({}),
    /** Other services by the name of their contract. */
    grpcClients: z
      .record(
        z.string(),
        z.object({
          /** host:port, or a grpc-js target such as dns:///stock:30382. */
          address: z.string().min(1),
          /** Longest time of a call, its retries included. */
          deadlineMs: z.int().min(1).default(3_000),
          /** Repeats of a call without side effects after UNAVAILABLE. */
          retries: z.int().min(0).max(10).default(2),
        }),
      )
      .default({}),
  };
}

/** What every service's configuration has. */
export type ServiceConfig = z.infer<z.ZodObject<ReturnType<typeof baseSections>>>;

/** The section `dtm` of a service that runs or serves distributed transactions. */
export const dtmSection = z.object({
  /** host:port of the DTM server's gRPC. */
  grpc: z.string().min(1),
  /** Base URL of the DTM server's HTTP API. */
  http: z.url(),
  /** Key that signs branch calls; the same in all services. */
  secret: secret(),
});
