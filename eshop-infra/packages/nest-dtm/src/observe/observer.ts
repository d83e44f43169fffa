import type { Branch } from '../branch/branch.js';
import type { BranchVerdict } from '../branch/verdict.js';

/** A submit that begins. */
export interface SubmitAbout {
  /** Id of the transaction. */
  gid: string;
  /** `saga`, `msg`, … */
  transType: string;
  /** Name of the DTM server. */
  server: string;
}

/** A branch call that begins. */
export interface BranchAbout extends Branch {
  /** How the call came. */
  transport: 'grpc' | 'http';
  /** `Controller.method`. */
  handler: string;
  /** Metadata or header of the call, lower case; absent = empty text. Headers of the submitter's observers are here. */
  header(name: string): string;
}

/** Sees every submit and every branch call. It must pass on what it wraps: run it once, and return or throw what comes of it. */
export interface DtmObserver {
  /** Sent with every branch call of a transaction that is built now. */
  headers?(): Record<string, string>;
  /** Around a submit; what comes of it has a `status`. A rejection is one of the submitter's errors, or a refusal of the local step. */
  submit?<T>(about: SubmitAbout, run: () => Promise<T>): Promise<T>;
  /** Around a branch call. `run` never rejects. */
  branch?(about: BranchAbout, run: () => Promise<BranchVerdict>): Promise<BranchVerdict>;
}

/** Several observers as one; the first is the outermost. */
export class Observers {
  constructor(private readonly observers: readonly DtmObserver[] = []) {}

  /** All headers together. */
  headers(): Record<string, string> {
    return Object.assign({}, ...this.observers.map((observer) => observer.headers?.()));
  }

  /** Runs a submit inside all observers. */
  submit<T>(about: SubmitAbout, run: () => Promise<T>): Promise<T> {
    return this.observers.reduceRight<() => Promise<T>>(
      (inner, observer) => () => observer.submit?.(about, inner) ?? inner(),
      run,
    )();
  }

  /** Runs a branch call inside all observers. */
  branch(about: BranchAbout, run: () => Promise<BranchVerdict>): Promise<BranchVerdict> {
    return this.observers.reduceRight<() => Promise<BranchVerdict>>(
      (inner, observer) => () => observer.branch?.(about, inner) ?? inner(),
      run,
    )();
  }
}

/** The status a submit ended with, for a label. */
export function statusOf(result: unknown): string {
  const status = typeof result === 'object' && result !== null && 'status' in result ? result.status : undefined;
  return typeof status === 'string' ? status : 'done';
}
