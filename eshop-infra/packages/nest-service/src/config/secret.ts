import { z } from 'zod';

const KEYS = /password|passphrase|secret|token|private_?key|api_?key/i;

/** Marks a setting as never to be shown; without an argument a string that must not be empty. */
export function secret<T extends z.ZodType = z.ZodString>(schema?: T): T {
  return (schema ?? z.string().min(1)).meta({ secret: true }) as T;
}

/** Whether a setting is shown as *** : marked by {@link secret}, or named like a password. */
export function isSecret(schema: z.core.$ZodType, key: string): boolean {
  return z.globalRegistry.get(schema)?.secret === true || KEYS.test(key);
}
