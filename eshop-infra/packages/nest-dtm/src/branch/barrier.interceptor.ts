import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { firstValueFrom, from, type Observable } from 'rxjs';
import type { Barrier } from '../barrier/barrier.js';
import type { DtmModuleOptions } from '../dtm-options.js';
import { MAX_GID_LENGTH } from '../gid.js';
import { DTM_OPTIONS } from '../tokens.js';
import { answer, describe } from './answer.js';
import { type Branch, type BranchCall, readBranchCall } from './branch.js';
import { classify } from './classify.js';

const MAX_BRANCH_ID_LENGTH = 128;

/** Runs a branch handler inside the barrier and turns what comes out into the answer DTM understands. */
@Injectable()
export class BarrierInterceptor implements NestInterceptor {
  readonly #logger = new Logger('Dtm');
  readonly #barrier: Barrier;

  constructor(@Inject(DTM_OPTIONS) private readonly options: DtmModuleOptions) {
    if (!options.barrier) throw new Error('@DtmBranches() needs the module option `barrier`');
    this.#barrier = options.barrier;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return from(this.#call(readBranchCall(context), next));
  }

  async #call(call: BranchCall, next: CallHandler): Promise<unknown> {
    const branch = identify(call);
    try {
      const work = (): Promise<unknown> => firstValueFrom(next.handle(), { defaultValue: {} });
      const outcome = await this.#barrier.call({ branch, work, cancelled: call.cancelled });
      if (!outcome.ran) this.#logger.debug(`${name(branch)}: ${outcome.why}, handler not run`);
      // DTM reads words in an HTTP body as answers, so a reply's content cannot go there.
      return outcome.ran && call.transport === 'grpc' ? (outcome.value ?? {}) : {};
    } catch (error) {
      return this.#fail(call, branch, error);
    }
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
    if (branch.op === 'action') {
      this.#logger.debug(`${name(branch)} refused: ${text}`);
      throw answer(call.transport, 'refused', text);
    }
    if (meaning === 'invalid') {
      this.#logger.error(`${name(branch)} cannot be compensated, its payload is not valid: ${text}`);
      return {};
    }
    // DTM repeats a refused compensation for ever like any other error; the word would only mislead.
    this.#logger.error(`${name(branch)} refused to be compensated, it will be called again: ${text}`);
    throw answer(call.transport, 'retry', `a compensation cannot be refused: ${text}`);
  }
}

/** The identity a barrier row can hold; anything longer would be cut by MySQL and taken for another transaction. */
function identify(call: BranchCall): Branch {
  const { transType, gid, branchId, op } = call;
  if (gid.length > MAX_GID_LENGTH)
    throw answer(call.transport, 'refused', `a gid has at most ${MAX_GID_LENGTH} characters`);
  if (branchId.length > MAX_BRANCH_ID_LENGTH) throw answer(call.transport, 'refused', 'the branch id is too long');
  if (transType !== 'saga' || (op !== 'action' && op !== 'compensate')) {
    throw answer(
      call.transport,
      'refused',
      `not a branch of a saga: type ${transType.slice(0, 20)}, op ${op.slice(0, 20)}`,
    );
  }
  return { transType, gid, branchId, op };
}

function name(branch: Branch): string {
  return `branch ${branch.gid}/${branch.branchId} ${branch.op}`;
}
