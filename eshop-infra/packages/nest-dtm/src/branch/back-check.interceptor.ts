import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { from, type Observable } from 'rxjs';
import type { Barriers } from '../barrier/barriers.js';
import { localBranch } from '../barrier/local-branch.js';
import { orAbandon } from '../barrier/or-abandon.js';
import type { DtmModuleOptions } from '../dtm-options.js';
import { DTM_BARRIERS, DTM_OPTIONS } from '../tokens.js';
import { answer, describe } from './answer.js';
import { readBranchCall } from './branch.js';
import { branchMetadata } from './branch-metadata.js';
import { assertCarriedGid } from './identify.js';
import { decided } from './open-answer.js';
import { SERVER_HEADER } from './signed-call.js';
import { timeLimit } from './time-limit.js';

/** Answers a back-check from the barrier. */
@Injectable()
export class BackCheckInterceptor implements NestInterceptor {
  readonly #logger = new Logger('Dtm');

  constructor(
    @Inject(DTM_OPTIONS) private readonly options: DtmModuleOptions,
    @Inject(DTM_BARRIERS) private readonly barriers: Barriers,
  ) {}

  intercept(context: ExecutionContext, _next: CallHandler): Observable<unknown> {
    return from(decided(context, () => this.#answer(context)));
  }

  async #answer(context: ExecutionContext): Promise<unknown> {
    const call = readBranchCall(context);
    const { transport, gid, transType, branchId, op, header } = call;
    assertCarriedGid(transport, gid);
    const server = header(SERVER_HEADER);
    const expected = localBranch(gid);
    if (transType !== expected.transType || branchId !== expected.branchId || op !== expected.op)
      throw answer(transport, 'retry', 'this method is the back-check of a message');
    const metadata = branchMetadata(context.getClass(), context.getHandler());
    const barrier = this.barriers.get(metadata?.barrier || undefined);
    using limit = timeLimit(call, this.options.branchTimeoutMs);
    let state: 'done' | 'rolled-back' | undefined;
    try {
      state = await orAbandon(
        limit.signal,
        async () => barrier?.backCheck?.(gid, server),
        () => undefined,
      );
    } catch (error) {
      this.#logger.warn(`back-check of ${gid} will be asked again: ${describe(error)}`);
      throw answer(transport, 'retry', `to be asked again: ${describe(error)}`);
    }
    this.#logger.debug(`back-check of ${gid}: ${state}`);
    if (state === 'done') return {};
    throw answer(transport, 'refused', 'the local step was not done, and will not be');
  }
}
