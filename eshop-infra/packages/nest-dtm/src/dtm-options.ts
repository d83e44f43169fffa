import type { Barrier } from './barrier/barrier.js';
import type { Classify } from './branch/classify.js';
import { DtmInvalidOption } from './errors.js';
import type { DtmObserver } from './observe/observer.js';
import { grpcJs } from './server/grpc-js.js';
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
  /**
   * Of a service whose HTTP branches DTM calls by another path than the one that arrives, because a proxy in front of it changes
   * paths: makes that path, which is signed, of this one. Default: they are the same.
   */
  calledPath?: (path: string) => string;
}

/** Options that may come from `process.env`: one that is not set is refused at start, by its name. */
export type MaybeUnset<Options, Names extends keyof Options> = Omit<Options, Names> & {
  [Name in Names]: Options[Name] | undefined;
};

/** The manual of the module. */
export interface DtmModuleOptions {
  /** DTM servers by name; `default` is the one `DtmService` uses unless told otherwise. */
  servers: Record<string, MaybeUnset<DtmServerOptions, 'http'>>;
  /** gRPC service full name → `host:port` at which the **DTM server** reaches that service. Only submitters need it. */
  branches?: Record<string, string | undefined>;
  /**
   * DTM cannot log in to a branch, so whoever submits signs its calls and branches accept signed calls only.
   * `false` switches that off, for a network where nobody else can reach a branch.
   */
  signature: (Omit<SignatureOptions, 'keys'> & { keys: readonly MaybeUnset<SignatureKey, 'secret'>[] }) | false;
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

/** The module's options when nothing is missing. */
export interface CheckedModuleOptions extends Omit<DtmModuleOptions, 'servers' | 'branches' | 'signature'> {
  servers: Record<string, DtmServerOptions>;
  branches?: Record<string, string>;
  signature: SignatureOptions | false;
}

/**
 * Throws {@link DtmInvalidOption} with the path of the first wrong option. Nothing is taken for granted: values come from the
 * environment, and callers may be JavaScript.
 */
export function assertModuleOptions(options: DtmModuleOptions): asserts options is CheckedModuleOptions {
  assertObject('options', options);
  assertObject('servers', options.servers);
  for (const [name, server] of Object.entries(options.servers)) assertServer(`servers.${name}`, server);
  if (options.branches !== undefined) assertObject('branches', options.branches);
  for (const [service, address] of Object.entries(options.branches ?? {}))
    assertText(`branches.${service}`, address, /^[^\s/]+:\d{1,5}$/, 'must be host:port without a scheme');
  assertCallback(options.workflowCallback);
  assertAtLeast('branchTimeoutMs', options.branchTimeoutMs, 100);
  assertAtLeast('shutdownTimeoutMs', options.shutdownTimeoutMs, 0);
  assertSignature(options.signature);
  assertBarrier(options.barrier);
  const { classify, observers, branchSyncCheck } = options;
  if (classify !== undefined && typeof classify !== 'function')
    throw new DtmInvalidOption('classify', 'must be a function');
  if (observers !== undefined && !Array.isArray(observers)) throw new DtmInvalidOption('observers', 'must be an array');
  for (const [index, observer] of (observers ?? []).entries()) assertObject(`observers.${index}`, observer);
  if (branchSyncCheck !== undefined && typeof branchSyncCheck !== 'boolean')
    throw new DtmInvalidOption('branchSyncCheck', 'must be true or false');
}

function assertServer(at: string, server: DtmModuleOptions['servers'][string]): void {
  assertObject(at, server);
  const { protocol, grpc } = server;
  if (protocol !== undefined && protocol !== 'grpc' && protocol !== 'http')
    throw new DtmInvalidOption(`${at}.protocol`, `must be grpc or http, is "${protocol}"`);
  if (protocol !== 'http' || grpc !== undefined)
    assertText(`${at}.grpc`, grpc, /^[^\s/:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'must be host:port');
  // Loaded here, so that its absence is told at start and by the option's name.
  if (protocol !== 'http') grpcJs(`${at}.grpc`);
  const http: unknown = server.http;
  if (typeof http !== 'string' || !URL.canParse(http) || new URL(http).protocol !== 'http:')
    throw new DtmInvalidOption(`${at}.http`, `must be an http:// address, is ${quoted(http)}`);
  assertAtLeast(`${at}.deadlineMs`, server.deadlineMs, 100);
  assertAtLeast(`${at}.waitDeadlineMs`, server.waitDeadlineMs, 10_000);
}

function assertSignature(signature: DtmModuleOptions['signature']): void {
  if (signature === false) return;
  if (typeof signature !== 'object' || signature === null)
    throw new DtmInvalidOption('signature', 'give keys, or false');
  if (!Array.isArray(signature.keys)) throw new DtmInvalidOption('signature.keys', 'must be an array');
  if (signature.keys.length === 0) throw new DtmInvalidOption('signature.keys', 'must not be empty');
  const ids = new Set<string>();
  for (const [index, key] of signature.keys.entries()) {
    const at = `signature.keys.${index}`;
    assertObject(at, key);
    assertText(`${at}.id`, key.id, /^[\w-]{1,32}$/, 'must be 1 to 32 of A-Z a-z 0-9 _ -');
    if (ids.has(key.id)) throw new DtmInvalidOption(`${at}.id`, `"${key.id}" is the id of another key, too`);
    ids.add(key.id);
    // Never quoted: it is a secret.
    if (typeof key.secret !== 'string')
      throw new DtmInvalidOption(`${at}.secret`, `must be a text, is ${typeof key.secret}: is its variable set?`);
    if (key.secret.length < 16) throw new DtmInvalidOption(`${at}.secret`, 'must have at least 16 characters');
  }
}

function assertBarrier(barrier: DtmModuleOptions['barrier']): void {
  if (barrier === undefined) return;
  assertObject('barrier', barrier);
  if (typeof barrier.call === 'function') return;
  for (const [name, one] of Object.entries(barrier)) {
    assertObject(`barrier.${name}`, one);
    if (typeof one.call !== 'function') throw new DtmInvalidOption(`barrier.${name}`, 'must be a barrier');
  }
}

function assertCallback(callback: DtmModuleOptions['workflowCallback']): void {
  if (callback === undefined) return;
  assertObject('workflowCallback', callback);
  if ('url' in callback)
    assertText('workflowCallback', callback.url, /^https?:\/\/[^\s/]/, 'must be an http:// address');
  else assertText('workflowCallback', callback.path, /^\/[^/]+\/[^/]+$/, 'must have a path /package.Service/Method');
}

function assertObject(field: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DtmInvalidOption(field, `must be an object, is ${Array.isArray(value) ? 'an array' : quoted(value)}`);
}

function assertText(field: string, value: unknown, form: RegExp, problem: string): void {
  if (typeof value !== 'string' || !form.test(value))
    throw new DtmInvalidOption(field, `${problem}, is ${quoted(value)}`);
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}

function assertAtLeast(field: string, value: number | undefined, least: number): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= least)) {
    throw new DtmInvalidOption(field, `must be a whole number of at least ${least}`);
  }
}
