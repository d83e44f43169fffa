import type { LocalStep } from '../barrier/local-step.js';
import { ANY_METHOD } from '../branch/signed-call.js';
import { DtmInvalidOption } from '../errors.js';
import { assertGid } from '../gid.js';
import type { DtmRequest } from '../server/dtm-request.js';
import { assertTopic } from '../topics/topic-name.js';
import { branchHeaders, callTo, type PlannedCall } from '../transaction/branch-headers.js';
import type { BranchMethod, MethodAs } from '../transaction/branch-method.js';
import { branchPayload, branchUrl } from '../transaction/branch-target.js';
import { answerBudget } from '../transaction/budget.js';
import { assertBackCheck, assertRoles, type InRole } from '../transaction/compensable.js';
import type { SubmitOptions } from '../transaction/submit.js';
import type { TransactionContext } from '../transaction/transaction-context.js';
import { customData } from '../transaction/transaction-options.js';
import { assertMessageOptions, type MessageOptions } from './message-options.js';
import type { LocalMessageResult, MessageResult } from './message-result.js';
import { prepareAndSubmit } from './prepare-and-submit.js';
import { submitMessage } from './submit-message.js';

/** How to send a two-phase message. */
export interface LocalSubmitOptions {
  /** Who tells DTM whether the local step was done when its submitter does not: a method with `@DtmBackCheck()`. */
  backCheck: BranchMethod<never> & InRole<never>;
  /** Wait until every step took effect, or DTM's window of about 5 s is over. */
  waitResult?: boolean;
  /**
   * The caller knows that this gid is in no other call's hands, and never was: a new id that nobody has been told. When the local step's
   * store takes no writes, the message is aborted then without a mark in it. Otherwise it stays prepared, as another call with the gid may
   * just have done the work, until DTM's back-check can be answered.
   */
  fresh?: boolean;
}

/** Branch ids have two digits. */
const MAX_STEPS = 99;

/**
 * A message under construction: steps DTM calls one after the other, each until it succeeds. A step cannot be refused and has
 * no compensation.
 */
export class Message {
  readonly #steps: { action: string }[] = [];
  readonly #payloads: Uint8Array[] = [];

  constructor(
    /** Id of the transaction. */
    readonly gid: string,
    private readonly options: MessageOptions,
    private readonly context: TransactionContext,
  ) {
    assertGid(gid);
    assertMessageOptions(options, context.server.protocol);
  }

  /** Adds a step. */
  step<Request>(method: MethodAs<'action', Request>, payload: NoInfer<Request>): this {
    const field = `steps.${this.#steps.length}`;
    assertRoles({ action: method }, field, this.gid);
    return this.#add(
      branchUrl(method, `${field}.action`, this.gid, this.context),
      branchPayload(method, payload, `${field}.payload`, this.gid, this.context),
    );
  }

  /**
   * Adds a step for every subscriber the topic has when DTM stores the message. `message` is any method that takes the message;
   * its codec makes the payload.
   */
  topic<Request>(
    name: string,
    message: Pick<BranchMethod<Request>, 'requestSerialize'>,
    payload: NoInfer<Request>,
  ): this {
    const field = `steps.${this.#steps.length}`;
    assertTopic(name, `${field}.topic`);
    return this.#add(`topic://${name}`, branchPayload(message, payload, `${field}.payload`, this.gid, this.context));
  }

  /**
   * Sends a plain reliable message. Returns when DTM has stored it (with `waitResult`, when every step took effect or DTM's
   * window is over). May be repeated with the same gid as often as one likes.
   *
   * @throws {DtmAborted} the gid was aborted before
   * @throws {DtmUnavailable} nothing was sent
   * @throws {DtmOutcomeUnknown} DTM may have it; submit the same gid again later
   * @throws {DtmRefused} DTM rejected it (a topic it does not know, a gid of another transaction); nothing has run
   * @throws {DtmProtocolError} an answer DTM 1.18 never gives
   * @throws {DtmInvalidOption} the message as a whole cannot be stored; nothing was sent
   */
  async submit(options: SubmitOptions = {}): Promise<MessageResult> {
    const { server } = this.context;
    const request = this.#request(undefined, options.waitResult === true);
    const budget = answerBudget(server, options.waitResult);
    return this.context.inTurn(this.gid, budget, (first) =>
      submitMessage({ server, request, budget, options: first ? options : { ...options, fresh: false } }),
    );
  }

  /**
   * Sends a two-phase message: DTM learns of it, the local step is done, DTM sends it. When this process dies in between, DTM
   * asks the back-check and sends the message if and only if the local step was done. May be repeated with the same gid, at any
   * time and from any process: the local step is done at most once, and each call gets a true answer.
   *
   * @throws {Refusal} the local step refused: nothing was done, nothing will be sent
   * @throws {DtmAborted} the gid was aborted before: nothing was done, nothing will be sent
   * @throws {DtmUnavailable} DTM could not be told of it: the local step was not begun
   * @throws {DtmNotDone} the local step's store takes no writes at the moment: this call did nothing
   * @throws {DtmOutcomeUnknown} it is not known whether the local step was done; DTM asks the back-check. Repeat it to know
   * @throws {DtmRefused} DTM rejected it; the local step was not begun
   * @throws {DtmProtocolError} an answer DTM 1.18 never gives
   * @throws {DtmInvalidOption} the message as a whole cannot be stored; nothing was done
   * @throws {DtmCrossSlot} the keys of the local step and its mark are not of one hash slot; nothing was done
   * @throws the local step's own error, when nothing of it was done: the message is aborted, the work needs another gid. What passes, as
   * a deadlock, was tried again until the deadline
   */
  async prepareAndSubmit<T>(
    local: LocalStep<T>,
    { backCheck, waitResult = false, fresh = false }: LocalSubmitOptions,
  ): Promise<LocalMessageResult<T>> {
    // DTM takes a message without a back-check for one whose local step is done, so there always is one.
    const queryPrepared = branchUrl(backCheck, 'backCheck', this.gid, this.context);
    assertBackCheck(backCheck, this.gid);
    if (this.#steps.some(({ action }) => action === queryPrepared))
      throw new DtmInvalidOption('backCheck', `is the method of a step: ${queryPrepared}`, { gid: this.gid });
    const { server } = this.context;
    const request = this.#request(queryPrepared, waitResult);
    local.assertPossible?.(this.gid);
    return this.context.inTurn(this.gid, answerBudget(server, waitResult), () =>
      prepareAndSubmit({ server, serverMark: this.context.serverMark, request, fresh }, local),
    );
  }

  #add(action: string, payload: Uint8Array): this {
    if (this.#steps.length === MAX_STEPS)
      throw new DtmInvalidOption('steps', `a message has at most ${MAX_STEPS}`, { gid: this.gid });
    this.#steps.push({ action });
    this.#payloads.push(payload);
    return this;
  }

  #request(queryPrepared: string | undefined, waitResult: boolean): DtmRequest {
    const { options, gid } = this;
    if (this.#steps.length === 0) throw new DtmInvalidOption('steps', 'a message needs at least one', { gid });
    const { timeoutToFail, requestTimeout, retryInterval, delay, concurrent } = options;
    return {
      gid,
      transType: 'msg',
      transOptions: {
        waitResult,
        timeoutToFail,
        requestTimeout,
        retryInterval,
        branchHeaders: branchHeaders(
          { gid, transType: 'msg' },
          options.headers,
          this.context,
          this.#calls(queryPrepared),
        ),
      },
      customedData: customData(gid, options.customData, delay ? { delay } : {}, 'delay'),
      payloads: this.#payloads,
      steps: this.#steps,
      queryPrepared,
      concurrent,
    };
  }

  /** Every call that DTM makes, for the signature: the back-check, then the steps. */
  #calls(queryPrepared = ''): PlannedCall[] {
    const backCheck = { ...callTo(queryPrepared), branchId: '00', op: 'msg', payload: '' };
    const steps = this.#steps.map(({ action }, index) => ({
      ...callTo(action),
      ...(action.startsWith('topic://') && { method: ANY_METHOD }),
      branchId: String(index + 1).padStart(2, '0'),
      op: 'action',
      payload: this.#payloads[index] ?? '',
    }));
    return [backCheck, ...steps];
  }
}
