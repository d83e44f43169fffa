import { z } from 'zod';
import { secret } from '../config/secret.js';

/** The section `mysql` of a service with a database of its own. */
export const mysqlSection = z.object({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(1).max(65535).default(3306),
  user: z.string().min(1),
  password: secret(z.string()),
  database: z.string().regex(/^\w{1,64}$/),
  /** Connections. Few: statements wait here in order rather than for locks in the database. */
  poolSize: z.int().min(1).max(1000).default(8),
  /** Requests that may wait for a connection; more are refused with UNAVAILABLE at once. */
  queueLimit: z.int().min(1).default(1_000),
  /** Longest wait for a connection, then UNAVAILABLE. */
  acquireTimeoutMs: z.int().min(1).default(3_000),
  connectTimeoutMs: z.int().min(1).default(5_000),
  /** How long to wait for the server and for other instances' migrations at start. */
  startTimeoutMs: z.int().min(0).default(60_000),
  /** Make the database when it does not exist. */
  createDatabase: z.boolean().default(true),
});

export type MysqlConfig = z.infer<typeof mysqlSection>;
