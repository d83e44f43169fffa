import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';
import type { BarrierCall, BarrierOutcome } from '../barrier/barrier.js';
import type { Barriers } from '../barrier/barriers.js';
import { UNDONE } from '../barrier/local-branch.js';
import { orAbandon } from '../barrier/or-abandon.js';
import type { DtmModuleOptions } from '../dtm-options.js';
import { isMisuse } from '../errors.js';
import type { Observers } from '../observe/observer.js';
import { DTM_BARRIERS, DTM_OBSERVERS, DTM_OPTIONS } from '../tokens.js';
import { answer } from './answer.js';
import { type Branch, type BranchCall, readBranchCall } from './branch.js';
import { BranchDrain } from './branch-drain.js';
import { type BranchMetadata, branchMetadata } from './branch-metadata.js';
import { classify } from './classify.js';
import { runInBranch } from './current-branch.js';
import { assertInTime } from './give-up.js';
import { witnessed } from './handler-witness.js';
import { identify } from './identify.js';
import { decided } from './open-answer.js';
import { noReply, reply } from './reply.js';
import { assertRole } from './role.decorator.js';
import { timeLimit } from './time-limit.js';
import { type BranchVerdict, verdictOf } from './verdict.js';

/** What is used of an HTTP framework's response. */
interface HttpResponse {
  status?(code: number): unknown;
}

/** Runs a branch handler inside the barrier and turns what comes out into the answer DTM understands. */
@Injectable()
export class BarrierInterceptor implements NestInterceptor {
  readonly #logger = new Logger('Dtm');

  constructor(
    @Inject(DTM_OPTIONS) private readonly options: DtmModuleOptions,
    @Inject(DTM_BARRIERS) private readonly barriers: Barriers,
    @Inject(DTM_OBSERVERS) private readonly observers: Observers,
    private readonly drain: BranchDrain,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const [type, handler] = [context.getClass(), context.getHandler()];
    const metadata = branchMetadata(type, handler);
    // A back-check or a callback among branches has an interceptor of its own further in.
    if (metadata && metadata.kind !== 'branch') return next.handle();
    const call = readBranchCall(context);
    // DTM takes 200 and nothing else for a success, whatever a decorator or an adapter's default says.
    if (call.transport === 'http') context.switchToHttp().getResponse<HttpResponse>().status?.(200);
    const inner = witnessed(context, next, (error) => classify(error, this.options.classify));
    return from(decided(context, () => this.#call(call, metadata, inner, `${type.name}.${handler.name}`)));
  }

  async #call(
    call: BranchCall,
    metadata: BranchMetadata | undefined,
    next: CallHandler,
    handler: string,
  ): Promise<unknown> {
    const branch = identify(call);
    assertRole(metadata?.role, branch, call.transport, handler);
    if (this.drain.closing) throw answer(call.transport, 'ongoing', 'the service is shutting down');
    let value: unknown;
    const work = async (): Promise<void> => {
      assertInTime(branch, call);
      // All of it: what a handler does after its first value belongs to the branch too.
      value = await lastValueFrom(next.handle(), { defaultValue: {} });
    };
    const judge = (error: unknown): BranchVerdict =>
      verdictOf(error, branch.transType, branch.op, this.options.classify, metadata?.dropInvalidCompensations);
    const refuses = (error: unknown): boolean => judge(error).outcome === 'refused';
    const run = async (): Promise<BranchVerdict> => {
      using limit = timeLimit(call, this.options.branchTimeoutMs);
      const { signal } = limit;
      try {
        const outcome = await orAbandon(
          signal,
          () =>
            runInBranch(branch, () =>
              this.#pass(metadata, { branch, work, cancelled: call.cancelled, signal, refuses }),
            ),
          () => undefined,
        );
        if (outcome.ran) return { outcome: 'done', text: '' };
        const { why } = outcome;
        return { outcome: why, text: why === 'undone' ? (outcome.reason ?? UNDONE) : '' };
      } catch (error) {
        return judge(error);
      }
    };
    const about = { ...branch, transport: call.transport, handler, header: call.header };
    const verdict = await this.drain.run(() => this.observers.branch(about, run));
    return this.#answer(call, branch, verdict, value);
  }

  async #pass<T>(metadata: BranchMetadata | undefined, call: BarrierCall<T>): Promise<BarrierOutcome<T>> {
    if (metadata?.barrier === false) return { ran: true, value: await call.work() };
    const barrier = this.barriers.get(metadata?.barrier);
    if (!barrier) throw new Error('this branch has no barrier');
    return barrier.call(call);
  }

  /** Returns for a success, else throws the answer. */
  #answer(call: BranchCall, branch: Branch, { outcome, text, unheard, error }: BranchVerdict, value: unknown): unknown {
    const name = `branch ${branch.gid}/${branch.branchId} ${branch.op}`;
    const { transport } = call;
    switch (outcome) {
      case 'done':
        return reply(call, value);
      case 'repeat':
      case 'null-compensation':
        this.#logger.debug(`${name}: ${outcome}, handler not run`);
        return noReply(call);
      case 'dropped':
        this.#logger.error(`${name} cannot be compensated, its payload is not valid: ${text}`);
        return {};
      case 'retry':
        this.#logger[unheard || isMisuse(error) ? 'error' : 'warn'](`${name} will be called again: ${text}`);
        throw answer(transport, 'retry', `to be called again: ${text}`);
      case 'undone':
        this.#logger.warn(`${name} comes after its compensation, or after a refusal, and is refused: ${text}`);
        throw answer(transport, 'refused', text);
      default:
        this.#logger.debug(`${name} ${outcome}: ${text}`);
        throw answer(transport, outcome, text);
    }
  }
}
