/** version, trace id, parent id, flags, and what a version above 00 may add. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_PARENT = '0'.repeat(16);
/** Sampled, and random trace id; whoever passes a traceparent on in version 00 sets the others to zero. */
const KNOWN_FLAGS = 0b11;

/** Where a request stands in its trace. */
export interface TraceContext {
  /** 32 hex digits, not all zero. */
  readonly traceID: string;
  /** The value to pass on, in version 00. */
  readonly traceparent: string;
}

/**
 * Reads a `traceparent` as W3C Trace Context prescribes; undefined when it is to be ignored: version ff, a version 00 that goes
 * on behind its flags, ids of zeros, digits that are not lower-case hex, and several values. Of a version above 00 the
 * parts known from version 00 count.
 */
export function readTraceparent(value: unknown): TraceContext | undefined {
  const [, version, traceID, parentID, flags = '', more] = (typeof value === 'string' && TRACEPARENT.exec(value)) || [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceID === undefined || traceID === NO_TRACE || parentID === NO_PARENT) return undefined;
  const known = (Number.parseInt(flags, 16) & KNOWN_FLAGS).toString(16).padStart(2, '0');
  return { traceID, traceparent: `00-${traceID}-${parentID}-${known}` };
}
