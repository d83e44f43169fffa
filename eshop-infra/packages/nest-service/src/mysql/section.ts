import { z } from 'zod';
import { secret } from '../config/secret.js';

/** The section `mysql` of a service with a database of its own. */
export const mysqlSection = z.object({
  host: z.string().min(1).default('127.0.0.1').describe('the database server'),
  port: z.int().min(1).max(65535).default(3306).describe('its port'),
  user: z.string().min(1).describe('account with all rights on the database below'),
  password: secret(z.string()).describe('its password'),
  database: z
    .string()
    .regex(/^\w{1,64}$/)
    .describe("this service's own database"),
  ssl: z
    .enum(['off', 'required', 'verify'])
    .default('off')
    .describe(
      'TLS: off; required, whoever the server is; verify, with a certificate for this host from an authority of sslCa',
    ),
  sslCa: z
    .string()
    .default('')
    .describe('for verify: a PEM file of authorities, or their text; empty = those that Node knows'),
  poolSize: z
    .int()
    .min(1)
    .max(1000)
    .default(8)
    .describe("connections; a few serve more than many, since fewer wait for a row's lock"),
  queueLimit: z.int().min(1).default(1_000).describe('calls that may wait for a connection; the next is answered 503'),
  acquireTimeoutMs: z.int().min(1).default(3_000).describe('how long one may wait; then it is answered 503'),
  connectTimeoutMs: z.int().min(1).default(5_000).describe('how long connecting may take'),
  startTimeoutMs: z
    .int()
    .min(0)
    .default(60_000)
    .describe("how long to wait for the server, and for another instance's migrations, at start"),
  maxPageBytes: z
    .int()
    .min(65_536)
    .default(4_194_304)
    .describe(
      'bytes of a page of a list, as gRPC sends it; a larger one is answered 400. The default is what a gRPC client takes',
    ),
  createDatabase: z.boolean().default(true).describe('make the database when it does not exist'),
});

export type MysqlConfig = z.infer<typeof mysqlSection>;
