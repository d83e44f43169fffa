import type { Signer } from '../branch/signature.js';
import { SIGNATURE_HEADER } from '../branch/signature.js';
import { DtmInvalidOption } from '../errors.js';
import { assertGid } from '../gid.js';
import type { DtmServer } from '../server/dtm-server.js';
import { encodeDtmRequest } from '../server/dtmgimp.codec.js';
import type { BranchMethod, SameMessage } from './branch-method.js';
import { assertOrders, assertSagaOptions, type SagaOptions } from './saga-options.js';
import type { Submission, SubmitOptions, SubmitResult } from './submit.js';

/** What a saga needs of the module. */
export interface SagaContext {
  server: DtmServer;
  signer: Signer | null;
  /** gRPC service full name → `host:port` as DTM reaches it. */
  branches: Readonly<Record<string, string>>;
  submit(submission: Submission): Promise<SubmitResult>;
}

/** Column sizes of DTM's store; it rejects or cuts what is larger. */
const MAX_STEPS = 99;
const MAX_PAYLOAD_BYTES = 65_535;
const MAX_URL = 1_024;
const MAX_OPTIONS = 1_024;

/** A saga under construction: steps whose actions run in order and are compensated in reverse when one is refused. */
export class Saga {
  readonly #steps: { action: string; compensate: string }[] = [];
  readonly #payloads: Uint8Array[] = [];

  constructor(
    /** Id of the transaction. */
    readonly gid: string,
    private readonly options: SagaOptions,
    private readonly context: SagaContext,
  ) {
    assertGid(gid);
    assertSagaOptions(options);
  }

  /**
   * Adds a step. DTM gives the same payload to both methods, so both take the same message (checked by the compiler).
   *
   * DTM compensates the step that was refused too, and may compensate one whose action never arrived: `@DtmBranches()` makes
   * both harmless. `null` as compensation: nothing to take back.
   */
  step<Action, Compensation = Action>(
    action: BranchMethod<Action>,
    compensation: (BranchMethod<Compensation> & SameMessage<Action, Compensation>) | null,
    payload: NoInfer<Action>,
  ): this {
    const index = this.#steps.length;
    if (index === MAX_STEPS) throw new DtmInvalidOption('steps', `a saga has at most ${MAX_STEPS}`, { gid: this.gid });
    const bytes = action.requestSerialize(payload);
    if (bytes.length > MAX_PAYLOAD_BYTES) {
      throw new DtmInvalidOption(`steps.${index}.payload`, `${bytes.length} bytes, at most ${MAX_PAYLOAD_BYTES}`, {
        gid: this.gid,
      });
    }
    if (compensation && 'url' in compensation !== 'url' in action) {
      throw new DtmInvalidOption(`steps.${index}`, 'action and compensation must be of one transport', {
        gid: this.gid,
      });
    }
    this.#steps.push({
      action: this.#url(action, `steps.${index}.action`),
      compensate: compensation ? this.#url(compensation, `steps.${index}.compensate`) : '',
    });
    this.#payloads.push(bytes);
    return this;
  }

  /**
   * Hands the saga to DTM. Returns when DTM has stored it (or, with `waitResult`, when its outcome is known).
   *
   * May be repeated with the same gid as often as one likes: the transaction runs once and every call gets its true state.
   *
   * @throws {DtmUnavailable} nothing was sent
   * @throws {DtmOutcomeUnknown} DTM may have it; submit the same gid again later
   * @throws {DtmRefused} DTM rejected it; nothing has run
   * @throws {DtmProtocolError} an answer DTM 1.18 never gives
   * @throws {DtmInvalidOption} the saga as a whole cannot be stored; nothing was sent
   */
  async submit(options: SubmitOptions = {}): Promise<SubmitResult> {
    return this.context.submit({
      server: this.context.server,
      gid: this.gid,
      transType: 'saga',
      request: this.#encode(options.waitResult === true),
      options,
    });
  }

  #encode(waitResult: boolean): Buffer {
    const { options, gid } = this;
    if (this.#steps.length === 0) throw new DtmInvalidOption('steps', 'a saga needs at least one', { gid });
    if (options.orders) assertOrders(options.orders, this.#steps.length);
    const branchHeaders = this.context.signer
      ? { ...options.headers, [SIGNATURE_HEADER]: this.context.signer.sign(gid) }
      : { ...options.headers };
    // 150: what DTM adds around the headers in the same column.
    if (options.headers && JSON.stringify(branchHeaders).length + 150 > MAX_OPTIONS) {
      throw new DtmInvalidOption('headers', `together too long for DTM's column of ${MAX_OPTIONS} characters`, { gid });
    }
    const customedData = options.concurrent ? JSON.stringify({ concurrent: true, orders: options.orders ?? {} }) : '';
    if (customedData.length > MAX_OPTIONS)
      throw new DtmInvalidOption('orders', `too long for DTM's column of ${MAX_OPTIONS} characters`, { gid });
    const { timeoutToFail, requestTimeout, retryInterval, retryLimit } = options;
    return encodeDtmRequest({
      gid,
      transType: 'saga',
      transOptions: { waitResult, timeoutToFail, requestTimeout, retryInterval, retryLimit, branchHeaders },
      customedData,
      binPayloads: this.#payloads,
      steps: JSON.stringify(this.#steps),
    });
  }

  #url(method: BranchMethod<never>, field: string): string {
    const url = 'url' in method ? method.url : this.#grpcUrl(method.path, field);
    if ('url' in method && !/^https?:\/\/[^\s/]/.test(url))
      throw new DtmInvalidOption(field, `must be an http:// address, is "${url}"`);
    if (url.length > MAX_URL) throw new DtmInvalidOption(field, `longer than ${MAX_URL} characters`);
    return url;
  }

  #grpcUrl(path: string, field: string): string {
    const service = path.split('/')[1] ?? '';
    const address = this.context.branches[service];
    if (!address)
      throw new DtmInvalidOption(field, `no address of "${service}" in the module's branches`, { gid: this.gid });
    return address + path;
  }
}
