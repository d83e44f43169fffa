import { ContractError, type Violation } from '@eshop/proto';

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
    const ms = text === '' ? 0 : parseTime(text);
    if (ms === undefined) {
      violations.push({
        field,
        rule: 'timestamp',
        description: 'must be a time such as 2026-11-22T17:00:00Z, or empty',
      });
    }
    return ms ?? 0;
  };
  const opensAtMs = time('opensAt', current.opensAtMs);
  const closesAtMs = time('closesAt', current.closesAtMs);
  if (violations.length === 0 && closesAtMs > 0 && closesAtMs <= opensAtMs) {
    violations.push({ field: 'closesAt', rule: 'after.opensAt', description: 'must be later than opensAt' });
  }
  if (violations.length > 0) throw new ContractError('INVALID_PARAMETER', undefined, { violations });
  return { limitPerUser: given.limitPerUser ?? current.limitPerUser, opensAtMs, closesAtMs };
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

/** Milliseconds since 1970, of a time after it. */
function parseTime(text: string): number | undefined {
  const day = RFC_3339.exec(text)?.[1];
  // Date takes the 30th of February for a day in March.
  if (day === undefined || new Date(`${day}T00:00:00Z`).toJSON()?.slice(0, 10) !== day) return undefined;
  const ms = Date.parse(text.toUpperCase());
  return ms > 0 ? ms : undefined;
}
