import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { firstValueFrom, from, type Observable } from 'rxjs';
import type { BarrierCall, BarrierOutcome } from '../barrier/barrier.js';
import type { Barriers } from '../barrier/barriers.js';
import type { DtmModuleOptions } from '../dtm-options.js';
import { DTM_BARRIERS, DTM_OPTIONS } from '../tokens.js';
import { answer, describe } from './answer.js';
import { type Branch, type BranchCall, readBranchCall } from './branch.js';
import { type BranchMetadata, branchMetadata } from './branch-metadata.js';
import { classify } from './classify.js';
import { identify } from './identify.js';
import { isRefusable, undoneBy } from './op.js';

/** Runs a branch handler inside the barrier and turns what comes out into the answer DTM understands. */
@Injectable()
export class BarrierInterceptor implements NestInterceptor {
  readonly #logger = new Logger('Dtm');

  constructor(
    @Inject(DTM_OPTIONS) private readonly options: DtmModuleOptions,
    @Inject(DTM_BARRIERS) private readonly barriers: Barriers,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const metadata = branchMetadata(context.getClass(), context.getHandler());
    // A back-check among branches has an interceptor of its own further in.
    if (metadata?.kind === 'back-check') return next.handle();
    return from(this.#call(readBranchCall(context), metadata, next));
  }

  async #call(call: BranchCall, metadata: BranchMetadata | undefined, next: CallHandler): Promise<unknown> {
    const branch = identify(call);
    try {
      const work = (): Promise<unknown> => firstValueFrom(next.handle(), { defaultValue: {} });
      const outcome = await this.#pass(metadata, { branch, work, cancelled: call.cancelled });
      if (!outcome.ran) this.#logger.debug(`${name(branch)}: ${outcome.why}, handler not run`);
      // DTM reads words in an HTTP body as answers, so a reply's content cannot go there.
      return outcome.ran && call.transport === 'grpc' ? (outcome.value ?? {}) : {};
    } catch (error) {
      return this.#fail(call, branch, error);
    }
  }

  async #pass<T>(metadata: BranchMetadata | undefined, call: BarrierCall<T>): Promise<BarrierOutcome<T>> {
    if (metadata?.barrier === false) return { ran: true, value: await call.work() };
    const barrier = this.barriers.get(metadata?.barrier);
    if (!barrier) throw new Error('this branch has no barrier');
    return barrier.call(call);
  }

  /** After a rollback. Returns for a success, else throws the answer. */
  #fail(call: BranchCall, branch: Branch, error: unknown): unknown {
    const meaning = classify(error, this.options.classify);
    const text = describe(error);
    if (meaning === 'ongoing') throw answer(call.transport, 'ongoing', text);
    if (meaning === 'retry') {
      this.#logger.warn(`${name(branch)} will be called again: ${text}`);
      throw answer(call.transport, 'retry', `to be called again: ${text}`);
    }
    if (isRefusable(branch.transType, branch.op)) {
      this.#logger.debug(`${name(branch)} refused: ${text}`);
      throw answer(call.transport, 'refused', text);
    }
    if (meaning === 'invalid' && undoneBy(branch.op)) {
      this.#logger.error(`${name(branch)} cannot be compensated, its payload is not valid: ${text}`);
      return {};
    }
    // DTM repeats it for ever like after any other error; the word would only mislead.
    this.#logger.error(`${name(branch)} cannot be refused, it will be called again: ${text}`);
    throw answer(call.transport, 'retry', `a ${branch.op} of a ${branch.transType} cannot be refused: ${text}`);
  }
}

function name(branch: Branch): string {
  return `branch ${branch.gid}/${branch.branchId} ${branch.op}`;
}
