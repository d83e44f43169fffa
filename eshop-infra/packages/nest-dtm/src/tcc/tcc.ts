import { SIGNATURE_PARAM } from '../branch/signed-call.js';
import { DtmAborted, DtmInvalidOption, DtmUnavailable } from '../errors.js';
import { GrpcStatus } from '../server/grpc-status.js';
import { type AddressedCall, ownHeaders, signedCall } from '../transaction/branch-headers.js';
import type { BranchMethod, MethodAs, SameMessage } from '../transaction/branch-method.js';
import { branchPayload, branchUrl, MAX_URL } from '../transaction/branch-target.js';
import { Budget, backOff } from '../transaction/budget.js';
import { assertOneTransport, assertRoles, type TccBranch } from '../transaction/compensable.js';
import { hopeless } from '../transaction/judge-failure.js';
import { lookUpAfter } from '../transaction/stored.js';
import type { TransactionContext } from '../transaction/transaction-context.js';

/** DTM's RequestTimeout, milliseconds. */
const DEFAULT_CALL_MS = 3_000;

/** Branch ids have two digits. */
const MAX_BRANCHES = 99;

/** A TCC under way. Made by `DtmService.tcc`, for the time its work runs. */
export class Tcc {
  #branches = 0;
  #ended = false;
  readonly #tries: Promise<void>[] = [];

  constructor(
    /** Id of the transaction. */
    readonly gid: string,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly requestTimeout: number | undefined,
    private readonly context: TransactionContext,
  ) {}

  /**
   * Tries a branch: DTM learns first how to confirm and to cancel it, then `tryMethod` is called from here. Resolves when the
   * try took effect. All three methods take the same message. Branches may be tried at the same time; their ids follow the
   * order of the calls.
   *
   * When it rejects, the TCC as a whole is cancelled, also when `work` goes on.
   *
   * @throws {Refusal} the branch refused
   * @throws {DtmAborted} DTM has begun to cancel
   * @throws {DtmBranchFailed} the branch gave no such answer
   * @throws {DtmUnavailable} DTM could not be told of the branch; it was not tried
   */
  branch<Request>(methods: TccBranch<Request>, payload: NoInfer<Request>): Promise<void>;
  /** The same with methods that are not put together by `tccBranch`. */
  branch<Try, Confirm = Try, Cancel = Try>(
    tryMethod: MethodAs<'try', Try>,
    confirm: MethodAs<'confirm', Confirm> & SameMessage<Try, Confirm>,
    cancel: MethodAs<'cancel', Cancel> & SameMessage<Try, Cancel>,
    payload: NoInfer<Try>,
  ): Promise<void>;
  branch(first: TccBranch<never> | BranchMethod<never>, ...rest: unknown[]): Promise<void> {
    const tried =
      'try' in Object(first)
        ? this.#try(first as TccBranch<never>, rest[0])
        : this.#try(
            {
              try: first as BranchMethod<never>,
              confirm: rest[0] as BranchMethod<never>,
              cancel: rest[1] as BranchMethod<never>,
            },
            rest[2],
          );
    // Whoever forgets to await it learns of it at the end.
    tried.catch(() => undefined);
    this.#tries.push(tried);
    return tried;
  }

  /** Waits for every branch begun; rejects with the first failure. No branch can be added afterwards. */
  async end(): Promise<void> {
    this.#ended = true;
    const outcomes = await Promise.allSettled(this.#tries);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #try(methods: Record<'try' | 'confirm' | 'cancel', BranchMethod<never>>, payload: unknown): Promise<void> {
    const { gid, context } = this;
    const field = `branches.${this.#branches}`;
    if (this.#ended) throw new Error('the work of this TCC has returned; was a promise not awaited?');
    if (this.#branches === MAX_BRANCHES) throw new DtmInvalidOption('branches', `at most ${MAX_BRANCHES}`, { gid });
    const { try: tryMethod, confirm, cancel } = methods;
    assertRoles({ try: tryMethod, confirm, cancel }, field, gid);
    assertOneTransport({ try: tryMethod, confirm, cancel }, field, gid);
    const bytes = branchPayload<unknown>(tryMethod as BranchMethod<unknown>, payload, `${field}.payload`, gid, context);
    const url = branchUrl(tryMethod, `${field}.try`, gid, context);
    const confirmUrl = branchUrl(confirm, `${field}.confirm`, gid, context);
    const cancelUrl = branchUrl(cancel, `${field}.cancel`, gid, context);
    const branch = { gid, transType: 'tcc', branchId: String(this.#branches + 1).padStart(2, '0'), payload: bytes };
    const data = {
      confirm: this.#signedUrl({ ...branch, url: confirmUrl, op: 'confirm' }, `${field}.confirm`),
      cancel: this.#signedUrl({ ...branch, url: cancelUrl, op: 'cancel' }, `${field}.cancel`),
    };
    this.#branches++;
    await this.#register(branch.branchId, data, bytes);
    const call = { ...branch, url, op: 'try' };
    await context.caller.call({
      ...call,
      headers: ownHeaders(this.headers, context, call),
      deadlineMs: this.requestTimeout ? this.requestTimeout * 1_000 : DEFAULT_CALL_MS,
    });
  }

  /** DTM calls it with the headers of Prepare, which cannot sign a branch that was not known then. A URL can carry a signature. */
  #signedUrl(call: AddressedCall, field: string): string {
    const { gid, headers } = this;
    const { signer } = this.context;
    const signed = signedCall(headers, call);
    if (!signer || signed.transport === 'grpc') return call.url;
    const url = `${call.url}${call.url.includes('?') ? '&' : '?'}${SIGNATURE_PARAM}=${signer.sign(signed)}`;
    if (url.length > MAX_URL)
      throw new DtmInvalidOption(field, `longer than ${MAX_URL} characters with its signature`, { gid });
    return url;
  }

  /** A branch DTM does not know would be neither confirmed nor cancelled, so it is tried only afterwards. */
  async #register(branchId: string, data: { confirm: string; cancel: string }, payload: Uint8Array): Promise<void> {
    const { gid } = this;
    const { server } = this.context;
    const budget = new Budget(server.deadlineMs);
    const request = { gid, transType: 'tcc', branchId, op: 'try', data, payload };
    for (let attempt = 0; ; attempt++) {
      const failure = await server.registerBranch(request, budget.share());
      if (!failure) return;
      if (failure.code === GrpcStatus.ABORTED)
        throw new DtmAborted(`DTM has begun to cancel: ${failure.text}`, { gid });
      // Only the reply was lost; MySQL refuses to store a branch twice.
      const stored = await lookUpAfter(failure, server, gid, budget);
      if (stored?.branches.some((branch) => branch.branchId === branchId && branch.op === 'confirm')) return;
      const error = stored && hopeless(gid, failure);
      if (error) throw error;
      if (!stored || budget.spent)
        throw new DtmUnavailable(`DTM could not be told of a branch: ${failure.text}`, { gid, cause: failure.error });
      await backOff(attempt, budget);
    }
  }
}
