import type { Barrier } from './barrier/barrier.js';
import type { Classify } from './branch/classify.js';
import { DtmInvalidOption } from './errors.js';
import type { DtmObserver } from './observe/observer.js';
import type { BranchMethod } from './transaction/branch-method.js';

/** One DTM server. */
export interface DtmServerOptions {
  /** `host:port` of its gRPC listener (DTM's default port is 36790). Needed unless `protocol` is `http`. */
  grpc?: string;
  /** `http://host:port` of its HTTP listener (default port 36789). Queries go there: gRPC has none. */
  http: string;
  /** What transactions are submitted by. Default `grpc`, which alone carries payloads that are no text. */
  protocol?: 'grpc' | 'http';
  /** Longest time a submit or a query may take, milliseconds. Default 3000. */
  deadlineMs?: number;
  /** The same for a submit with `waitResult`, milliseconds, at least 10000. Default 12000: DTM answers after up to 8 s. */
  waitDeadlineMs?: number;
}

/** A secret shared by those who submit and those who serve branches. */
export interface SignatureKey {
  /** Travels with the signature and tells which key made it: letters, digits, `_`, `-`. */
  id: string;
  /** At least 16 characters. */
  secret: string;
}

/** Keys of the branch signature. */
export interface SignatureOptions {
  /** The first key signs; every key is accepted, so that a key can be replaced without a stop. */
  keys: SignatureKey[];
}

/** The manual of the module. */
export interface DtmModuleOptions {
  /** DTM servers by name; `default` is the one `DtmService` uses unless told otherwise. */
  servers: Record<string, DtmServerOptions>;
  /** gRPC service full name → `host:port` at which the **DTM server** reaches that service. Only submitters need it. */
  branches?: Record<string, string>;
  /**
   * DTM cannot log in to a branch, so whoever submits signs the gid and branches accept signed calls only.
   * `false` switches that off, for a network where nobody else can reach a branch.
   */
  signature: SignatureOptions | false;
  /**
   * Where branches remember that they took effect; needed by services with `@DtmBranches()`. Several by name:
   * `@DtmBranches({ barrier: 'redis' })` picks one, `@DtmBranches()` takes `default`, or the only one.
   */
  barrier?: Barrier | Record<string, Barrier>;
  /**
   * Where DTM resumes this application's workflows: the method with `@DtmWorkflowCallback()`. Default: over gRPC, at the address
   * of `workflow.Workflow` among `branches`; over HTTP an `httpBranch(…)`.
   */
  workflowCallback?: BranchMethod<never>;
  /** Tells what an application's own errors mean; `undefined` falls back to the default table. */
  classify?: Classify;
  /** See every submit and branch call: metrics, tracing, or one's own. The first is the outermost. Default none. */
  observers?: readonly DtmObserver[];
  /**
   * Longest time of a branch call that names no deadline, as over HTTP, milliseconds. Default 2700, below DTM's RequestTimeout of 3 s.
   * A gRPC call has its own. When it is over, the branch is undone, its connection is closed, and DTM is told to call again.
   */
  branchTimeoutMs?: number;
  /** Longest wait of a shutdown for branch calls that run, milliseconds. Default 10000. */
  shutdownTimeoutMs?: number;
  /**
   * Looks at start, in the background, whether each server keeps branch progress at once (`UPDATE_BRANCH_SYNC=1`), and warns
   * when it does not. One tiny saga per server and start. Default true.
   */
  branchSyncCheck?: boolean;
}

/** Throws {@link DtmInvalidOption} with the path of the first wrong option. */
export function assertModuleOptions(options: DtmModuleOptions): void {
  for (const [name, server] of Object.entries(options.servers)) {
    const at = `servers.${name}`;
    if (server.protocol !== undefined && server.protocol !== 'grpc' && server.protocol !== 'http')
      throw new DtmInvalidOption(`${at}.protocol`, `must be grpc or http, is "${server.protocol}"`);
    const needsGrpc = server.protocol !== 'http' || server.grpc !== undefined;
    if (needsGrpc && !/^[^\s/:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/.test(server.grpc ?? '')) {
      throw new DtmInvalidOption(`${at}.grpc`, `must be host:port, is "${server.grpc ?? ''}"`);
    }
    if (!URL.canParse(server.http) || new URL(server.http).protocol !== 'http:') {
      throw new DtmInvalidOption(`${at}.http`, `must be an http:// address, is "${server.http}"`);
    }
    assertAtLeast(`${at}.deadlineMs`, server.deadlineMs, 100);
    assertAtLeast(`${at}.waitDeadlineMs`, server.waitDeadlineMs, 10_000);
  }
  for (const [service, address] of Object.entries(options.branches ?? {})) {
    if (!/^[^\s/]+:\d{1,5}$/.test(address)) {
      throw new DtmInvalidOption(`branches.${service}`, `must be host:port without a scheme, is "${address}"`);
    }
  }
  const { workflowCallback: callback } = options;
  if (callback && 'url' in callback && !/^https?:\/\/[^\s/]/.test(callback.url))
    throw new DtmInvalidOption('workflowCallback', `must be an http:// address, is "${callback.url}"`);
  assertAtLeast('branchTimeoutMs', options.branchTimeoutMs, 100);
  assertAtLeast('shutdownTimeoutMs', options.shutdownTimeoutMs, 0);
  if (options.signature === undefined) throw new DtmInvalidOption('signature', 'give keys, or false');
  if (options.signature !== false) {
    if (options.signature.keys.length === 0) throw new DtmInvalidOption('signature.keys', 'must not be empty');
    for (const [index, key] of options.signature.keys.entries()) {
      if (!/^[\w-]{1,32}$/.test(key.id))
        throw new DtmInvalidOption(`signature.keys.${index}.id`, 'must be 1 to 32 of A-Z a-z 0-9 _ -');
      if (key.secret.length < 16)
        throw new DtmInvalidOption(`signature.keys.${index}.secret`, 'must have at least 16 characters');
    }
  }
}

function assertAtLeast(field: string, value: number | undefined, least: number): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= least)) {
    throw new DtmInvalidOption(field, `must be a whole number of at least ${least}`);
  }
}
