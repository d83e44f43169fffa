import { type CodeDef, type CodeName, codes } from './codes.js';
import type { Violation } from './violation.js';

export interface ContractErrorOptions {
  /** The fields and rules that a request breaks. */
  readonly violations?: readonly Violation[];
  /** Facts for the caller's program; travels as google.rpc.ErrorInfo's metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The one error type of all services, on both transports: a code of the contract with a message for people. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
  readonly code: CodeName;
  readonly def: CodeDef;
  readonly violations: readonly Violation[];
  readonly metadata: Readonly<Record<string, string>>;

  constructor(code: CodeName, message?: string, options: ContractErrorOptions = {}) {
    super(message ?? codes[code].msg, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.def = codes[code];
    this.violations = options.violations ?? [];
    this.metadata = options.metadata ?? {};
  }

  get httpStatus(): number {
    return this.def.httpStatus;
  }

  get grpcStatus(): number {
    return this.def.grpcStatus;
  }
}
