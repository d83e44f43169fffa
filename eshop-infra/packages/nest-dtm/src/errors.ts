/** What went wrong with a transaction, as far as its submitter can know it. */
export type DtmErrorCode =
  | 'DTM_UNAVAILABLE'
  | 'DTM_OUTCOME_UNKNOWN'
  | 'DTM_REFUSED'
  | 'DTM_PROTOCOL'
  | 'DTM_BRANCH_FAILED'
  | 'DTM_INVALID_OPTION';

/** Base of every error this package throws at a submitter. */
export class DtmError extends Error {
  /** Stable across versions; the message is not. */
  readonly code: DtmErrorCode;
  /** The transaction concerned, when there is one. */
  readonly gid?: string;

  constructor(code: DtmErrorCode, message: string, options: { gid?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.gid = options.gid;
  }
}

/** The DTM server could not be reached and has certainly received nothing. */
export class DtmUnavailable extends DtmError {
  constructor(message: string, options: { gid?: string; cause?: unknown } = {}) {
    super('DTM_UNAVAILABLE', message, options);
  }
}

/**
 * The request may have reached the server, and the server did not tell what became of it within the deadline.
 * Submitting the same gid again (not `fresh`) later is safe.
 */
export class DtmOutcomeUnknown extends DtmError {
  constructor(message: string, options: { gid?: string; cause?: unknown } = {}) {
    super('DTM_OUTCOME_UNKNOWN', message, options);
  }
}

/** The server rejected the transaction as such: it stored nothing and ran nothing. Repeating it is useless. */
export class DtmRefused extends DtmError {
  constructor(message: string, options: { gid?: string; cause?: unknown } = {}) {
    super('DTM_REFUSED', message, options);
  }
}

/** The server answered what DTM 1.18 never answers; the message quotes it. */
export class DtmProtocolError extends DtmError {
  constructor(message: string, options: { gid?: string; cause?: unknown } = {}) {
    super('DTM_PROTOCOL', message, options);
  }
}

/**
 * A branch that this process called itself (a TCC's try, a step of a workflow) did not answer that it took effect, nor that it
 * was refused. Whether it did is not known; its barrier makes taking it back harmless either way.
 */
export class DtmBranchFailed extends DtmError {
  constructor(message: string, options: { gid?: string; cause?: unknown } = {}) {
    super('DTM_BRANCH_FAILED', message, options);
  }
}

/** An option of the module or of a transaction is wrong; nothing was sent. */
export class DtmInvalidOption extends DtmError {
  /** Dotted path of the option, for example `servers.default.grpc`. */
  readonly field: string;

  constructor(field: string, problem: string, options: { gid?: string } = {}) {
    super('DTM_INVALID_OPTION', `${field}: ${problem}`, options);
    this.field = field;
  }
}
