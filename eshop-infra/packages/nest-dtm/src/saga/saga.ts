import { giveUpAfter } from '../branch/give-up.js';
import { GIVE_UP_HEADER } from '../branch/signed-call.js';
import { DtmInvalidOption } from '../errors.js';
import { assertGid } from '../gid.js';
import type { DtmRequest } from '../server/dtm-request.js';
import { branchHeaders, callTo, type PlannedCall } from '../transaction/branch-headers.js';
import type { BranchMethod, MethodAs, SameMessage } from '../transaction/branch-method.js';
import { branchPayload, branchUrl } from '../transaction/branch-target.js';
import { answerBudget } from '../transaction/budget.js';
import { assertOneTransport, assertRoles, type Compensable } from '../transaction/compensable.js';
import { type SubmitOptions, type SubmitResult, submit } from '../transaction/submit.js';
import type { TransactionContext } from '../transaction/transaction-context.js';
import { customData } from '../transaction/transaction-options.js';
import { assertSagaOptions, ordersByLevel, type SagaOptions } from './saga-options.js';

/** Branch ids have two digits. */
const MAX_STEPS = 99;

/** DTM's RetryInterval, seconds. */
const DTM_RETRY_INTERVAL = 10;

/** A saga under construction: steps whose actions run in order and are compensated in reverse when one is refused. */
export class Saga {
  readonly #steps: { action: string; compensate: string }[] = [];
  readonly #payloads: Uint8Array[] = [];

  constructor(
    /** Id of the transaction. */
    readonly gid: string,
    private readonly options: SagaOptions,
    private readonly context: TransactionContext,
  ) {
    assertGid(gid);
    assertSagaOptions(options);
  }

  /**
   * Adds a step whose action and compensation are paired by `compensable`.
   *
   * DTM compensates the step that was refused too, and may compensate one whose action never arrived: `@DtmBranches()` makes
   * both harmless.
   *
   * @throws {DtmInvalidOption} the payload cannot be carried, a method has no address
   */
  step<Request>(pair: Compensable<Request>, payload: NoInfer<Request>): this;
  /**
   * The same without a pair. DTM gives the same payload to both methods, so both take the same message (checked by the compiler).
   * `null` as compensation: nothing to take back.
   *
   * @throws {DtmInvalidOption} also when both are the same method
   */
  step<Action, Compensation = Action>(
    action: MethodAs<'action', Action>,
    compensation: (MethodAs<'compensation', Compensation> & SameMessage<Action, Compensation>) | null,
    payload: NoInfer<Action>,
  ): this;
  /**
   * Adds a step that does nothing when it is its turn and is compensated when a later step is refused: it takes back what was
   * done before the saga began. A barrier would take that for the compensation of nothing and skip it, so its controller is a
   * `@DtmBranches({ barrier: false })` and its handler harmless when repeated.
   */
  step<Compensation>(
    action: null,
    compensation: MethodAs<'compensation', Compensation>,
    payload: NoInfer<Compensation>,
  ): this;
  step<Message>(
    first: Compensable<Message> | BranchMethod<Message> | null,
    second: BranchMethod<Message> | Message | null,
    third?: Message,
  ): this {
    if (first && 'action' in first) return this.#add(first.action, first.compensation, second as Message);
    return this.#add(first, second as BranchMethod<Message> | null, third as Message);
  }

  #add<Message>(
    action: BranchMethod<Message> | null,
    compensation: BranchMethod<Message> | null,
    payload: Message,
  ): this {
    const { gid, context } = this;
    const field = `steps.${this.#steps.length}`;
    if (this.#steps.length === MAX_STEPS)
      throw new DtmInvalidOption('steps', `a saga has at most ${MAX_STEPS}`, { gid });
    assertRoles({ action, compensation }, field, gid);
    const method = action ?? compensation;
    if (!method) throw new DtmInvalidOption(field, 'needs an action or a compensation', { gid });
    assertOneTransport({ action, compensation }, field, gid);
    const bytes = branchPayload(method, payload, `${field}.payload`, gid, context);
    this.#steps.push({
      action: action ? branchUrl(action, `${field}.action`, gid, context) : '',
      compensate: compensation ? branchUrl(compensation, `${field}.compensation`, gid, context) : '',
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
    const { server } = this.context;
    const request = this.#request(options.waitResult === true);
    const budget = answerBudget(server, options.waitResult);
    return this.context.inTurn(this.gid, budget, (first) =>
      submit({ server, request, budget, options: first ? options : { ...options, fresh: false } }),
    );
  }

  #request(waitResult: boolean): DtmRequest {
    const { options, gid } = this;
    if (this.#steps.length === 0) throw new DtmInvalidOption('steps', 'a saga needs at least one', { gid });
    const { timeoutToFail, requestTimeout, retryInterval, retryLimit } = options;
    const orders = ordersByLevel(options.orders ?? {}, this.#steps.length);
    const concurrency = options.concurrent ? { concurrent: true, orders } : {};
    const headers = { ...options.headers, ...(timeoutToFail && { [GIVE_UP_HEADER]: giveUpAfter(timeoutToFail) }) };
    return {
      gid,
      transType: 'saga',
      transOptions: {
        waitResult,
        requestTimeout,
        // As DTM does with a timeout of its own: nothing is tried again much later than the saga gives up.
        retryInterval:
          retryInterval ?? (timeoutToFail && timeoutToFail < DTM_RETRY_INTERVAL ? timeoutToFail : undefined),
        retryLimit,
        branchHeaders: branchHeaders({ gid, transType: 'saga' }, headers, this.context, this.#calls()),
      },
      customedData: customData(gid, options.customData, concurrency, 'orders'),
      payloads: this.#payloads,
      steps: this.#steps,
    };
  }

  /** Every call that DTM may make, for the signature. One that it does not make has no address, and nobody can call that. */
  #calls(): PlannedCall[] {
    return this.#steps.flatMap(({ action, compensate }, index) => {
      const step = { branchId: String(index + 1).padStart(2, '0'), payload: this.#payloads[index] ?? '' };
      return [
        { ...step, ...callTo(action), op: 'action' },
        { ...step, ...callTo(compensate), op: 'compensate' },
      ];
    });
  }
}
