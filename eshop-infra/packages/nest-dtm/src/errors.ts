/** What went wrong with a transaction, as far as its submitter can know it. */
export type DtmErrorCode =
  | 'DTM_UNAVAILABLE'
  | 'DTM_OUTCOME_UNKNOWN'
  | 'DTM_REFUSED'
  | 'DTM_PROTOCOL'
  | 'DTM_BRANCH_FAILED'
  | 'DTM_ABORTED'
  | 'DTM_GID_TAKEN'
  | 'DTM_REENTERED'
  | 'DTM_BYPASS'
  | 'DTM_INVALID_OPTION'
  | 'DTM_CROSS_SLOT'
  | 'DTM_NO_SCRIPT'
  | 'DTM_NOT_DONE';

/** Base of every error of this package; a branch's `Refusal` and `Ongoing` are the business's. */
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

/**
 * The store of a local step takes no writes at the moment (a replica, no memory, no disk, …), so that this call has certainly done
 * nothing. It may be repeated: with another gid; with the same one to learn what an earlier call with it has come to.
 */
export class DtmNotDone extends DtmError {
  constructor(message: string, options: { gid?: string; cause?: unknown } = {}) {
    super('DTM_NOT_DONE', message, options);
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

/**
 * The transaction was aborted under this gid before: its local step failed for the moment, its submitter was too slow, or somebody
 * stopped it. Nothing of it stays, and it needs another gid.
 */
export class DtmAborted extends DtmError {
  /** The words it was aborted with, of the local step or of DTM; empty when there were none. */
  readonly reason: string;

  constructor(reason: string, options: { gid?: string; cause?: unknown } = {}) {
    super('DTM_ABORTED', reason ? `aborted before: ${reason}` : 'aborted before', options);
    this.reason = reason;
  }
}

/**
 * The server answers for another gid. DTM's MySQL store takes gids that differ only in case, or in accents, for one: nothing of this
 * transaction is stored, nor will be.
 */
export class DtmGidTaken extends DtmError {
  /** The gid that the server has. */
  readonly other: string;

  constructor(gid: string, other: string) {
    super('DTM_GID_TAKEN', `the DTM server takes the gid for another one's, "${other}": choose gids that differ`, {
      gid,
    });
    this.other = other;
  }
}

/** A gid is used inside its own TCC, workflow step or local step, which would wait for itself. */
export class DtmReentered extends DtmError {
  constructor(gid: string) {
    super('DTM_REENTERED', 'this gid is used inside its own transaction, which would wait for itself', { gid });
  }
}

/** A branch sent a statement past its transaction; see the option `bypass` of the MySQL barrier. */
export class DtmBypass extends DtmError {
  constructor(message: string, options: { gid?: string } = {}) {
    super('DTM_BYPASS', message, options);
  }
}

/** An option of the module or of a transaction is wrong; nothing was sent. */
export class DtmInvalidOption extends DtmError {
  /** Dotted path of the option, for example `servers.default.grpc`. */
  readonly field: string;

  constructor(field: string, problem: string, options: { gid?: string; cause?: unknown } = {}) {
    super('DTM_INVALID_OPTION', `${field}: ${problem}`, options);
    this.field = field;
  }
}

/** Errors that stay until the code is put right, whatever is repeated. */
const MISUSE: ReadonlySet<DtmErrorCode> = new Set(['DTM_INVALID_OPTION', 'DTM_CROSS_SLOT', 'DTM_NO_SCRIPT']);

/** Whether somebody has to put the code right. Such an error takes a workflow back; DTM repeats a branch that throws it. */
export function isMisuse(error: unknown): boolean {
  return error instanceof DtmError && MISUSE.has(error.code);
}
