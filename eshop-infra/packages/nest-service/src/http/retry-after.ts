import type { CodeName } from '@eshop/proto';

/**
 * Whole seconds after which a client may come again, where that can be told. Limits and queues free themselves within a second; a
 * dependency that is away is looked for each second; a branch or a request under way takes a moment.
 */
const RETRY_AFTER_SECONDS: Readonly<Partial<Record<CodeName, number>>> = {
  TOO_EARLY: 1,
  TOO_MANY_REQUESTS: 1,
  UNAVAILABLE: 2,
};

/** Value of the header `Retry-After` of a refusal; undefined where trying again would not help, or at no known time. */
export function retryAfter(code: CodeName): number | undefined {
  return RETRY_AFTER_SECONDS[code];
}
