import { ContractError, parseTime, type Violation } from '@eshop/proto';

/** On which terms the units of a sale are sold. */
export interface SaleTerms {
  /** Units that one user may buy; 0 = no limit. */
  readonly limitPerUser: number;
  /** Milliseconds since 1970; 0 = open at once. */
  readonly opensAtMs: number;
  /** Milliseconds since 1970; 0 = never closed. */
  readonly closesAtMs: number;
}

/** Terms as a request gives them: what is absent stays as it is, an empty time takes the bound away. */
export interface GivenTerms {
  readonly limitPerUser?: number | undefined;
  readonly opensAt?: string | undefined;
  readonly closesAt?: string | undefined;
}

/** The terms of a sale that nothing was said about. */
export const NO_TERMS: SaleTerms = { limitPerUser: 0, opensAtMs: 0, closesAtMs: 0 };

/** Lays a request over the terms so far. Throws INVALID_PARAMETER with every field that is wrong. */
export function termsOf(given: GivenTerms, current: SaleTerms): SaleTerms {
  const violations: Violation[] = [];
  const time = (field: 'opensAt' | 'closesAt', before: number): number => {
    const text = given[field];
    if (text === undefined) return before;
    if (text === '') return 0;
    // That it is a time, the contract has checked.
    const ms = parseTime(text)?.getTime() ?? 0;
    if (ms > 0) return ms;
    violations.push({ field, rule: 'timestamp', description: 'must be later than 1970-01-01T00:00:00Z, or empty' });
    return 0;
  };
  const opensAtMs = time('opensAt', current.opensAtMs);
  const closesAtMs = time('closesAt', current.closesAtMs);
  if (violations.length === 0 && closesAtMs > 0 && closesAtMs <= opensAtMs) {
    violations.push({ field: 'closesAt', rule: 'after.opensAt', description: 'must be later than opensAt' });
  }
  if (violations.length > 0) throw new ContractError('INVALID_PARAMETER', undefined, { violations });
  return { limitPerUser: given.limitPerUser ?? current.limitPerUser, opensAtMs, closesAtMs };
}
