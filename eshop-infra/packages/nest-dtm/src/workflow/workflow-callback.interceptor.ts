import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { from, type Observable } from 'rxjs';
import { answer, describe } from '../branch/answer.js';
import { type Branch, type BranchCall, readBranchCall } from '../branch/branch.js';
import { BranchDrain } from '../branch/branch-drain.js';
import { assertCarriedGid } from '../branch/identify.js';
import { decided } from '../branch/open-answer.js';
import { SERVER_HEADER } from '../branch/signed-call.js';
import type { BranchVerdict } from '../branch/verdict.js';
import { DtmService } from '../dtm.service.js';
import type { Observers } from '../observe/observer.js';
import { DTM_OBSERVERS } from '../tokens.js';
import { Workflows } from './workflows.js';

/**
 * Longest time DTM is kept waiting, milliseconds. It makes all calls that resume something one after the other, so a workflow
 * that takes longer goes on without its listening.
 */
const ANSWER_MS = 1_000;

/** Resumes a workflow when DTM asks for it. */
@Injectable()
export class WorkflowCallbackInterceptor implements NestInterceptor {
  readonly #logger = new Logger('Dtm');

  constructor(
    private readonly dtm: DtmService,
    private readonly workflows: Workflows,
    private readonly drain: BranchDrain,
    @Inject(DTM_OBSERVERS) private readonly observers: Observers,
  ) {}

  intercept(context: ExecutionContext, _next: CallHandler): Observable<unknown> {
    return from(decided(context, () => this.#answer(readBranchCall(context))));
  }

  async #answer(call: BranchCall): Promise<unknown> {
    const { transport, gid, transType, branchId, op: name } = call;
    assertCarriedGid(transport, gid);
    if (transType !== 'workflow' || branchId !== '00')
      throw answer(transport, 'retry', 'this method resumes workflows');
    if (this.drain.closing) throw answer(transport, 'ongoing', 'the service is shutting down');
    const workflow = this.workflows.find(name);
    if (!workflow) {
      this.#logger.error(
        `DTM asks for the workflow "${name.slice(0, 45)}", which this application does not have: ${gid}`,
      );
      throw answer(transport, 'retry', 'there is no such workflow here');
    }
    const server = decodeURIComponent(call.header(SERVER_HEADER)) || 'default';
    const branch: Branch = { transType: 'workflow', gid, branchId, op: 'action' };
    const about = { ...branch, transport, handler: `${workflow.handler.constructor.name}.run`, header: call.header };
    const run = (): Promise<BranchVerdict> =>
      this.dtm
        .resumeWorkflow(gid, workflow, server)
        .catch((error: unknown) => ({ outcome: 'retry', error, text: describe(error) }));
    const verdict = await inTime(this.drain.run(() => this.observers.branch(about, run)));
    if (verdict.outcome === 'ongoing') throw answer(transport, 'ongoing', verdict.text);
    if (verdict.outcome === 'retry') throw answer(transport, 'retry', verdict.text);
    return {};
  }
}

async function inTime(run: Promise<BranchVerdict>): Promise<BranchVerdict> {
  const { promise, resolve } = Promise.withResolvers<BranchVerdict>();
  const timer = setTimeout(() => resolve({ outcome: 'ongoing', text: 'goes on' }), ANSWER_MS);
  try {
    return await Promise.race([run, promise]);
  } finally {
    clearTimeout(timer);
  }
}
