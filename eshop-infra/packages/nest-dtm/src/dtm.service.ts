import { randomBytes } from 'node:crypto';
import { Inject, Injectable, type OnApplicationShutdown, type Type } from '@nestjs/common';
import type { Barriers } from './barrier/barriers.js';
import { BranchDrain } from './branch/branch-drain.js';
import { classify } from './branch/classify.js';
import type { Signer } from './branch/signature.js';
import type { BranchVerdict } from './branch/verdict.js';
import type { CheckedModuleOptions } from './dtm-options.js';
import { DtmInvalidOption, isMisuse } from './errors.js';
import { Message } from './message/message.js';
import type { MessageOptions } from './message/message-options.js';
import type { Observers } from './observe/observer.js';
import { Saga } from './saga/saga.js';
import type { SagaOptions } from './saga/saga-options.js';
import { DtmServer } from './server/dtm-server.js';
import type { Transaction } from './server/transaction.js';
import { runTcc } from './tcc/run-tcc.js';
import type { Tcc } from './tcc/tcc.js';
import type { TccOptions, TccResult } from './tcc/tcc-options.js';
import { DTM_BARRIERS, DTM_OBSERVERS, DTM_OPTIONS, DTM_SIGNER } from './tokens.js';
import { Topics } from './topics/topics.js';
import { BranchCaller } from './transaction/branch-caller.js';
import { Budget } from './transaction/budget.js';
import { InTurn } from './transaction/in-turn.js';
import type { TransactionContext } from './transaction/transaction-context.js';
import type { WorkflowHandler } from './workflow/dtm-workflow.decorator.js';
import { type RunContext, resumeWorkflow, runWorkflow } from './workflow/run-workflow.js';
import type { WorkflowOptions, WorkflowResult } from './workflow/workflow-options.js';
import { workflowService } from './workflow/workflow-service.js';
import { type RegisteredWorkflow, Workflows } from './workflow/workflows.js';

/** Starts transactions and tells what became of them. */
@Injectable()
export class DtmService implements OnApplicationShutdown {
  readonly #servers: ReadonlyMap<string, DtmServer>;
  /** DTM runs the branches again for each submit that reaches it while they run. */
  readonly #inTurn = new InTurn();
  readonly #caller = new BranchCaller();
  readonly #owner = randomBytes(12).toString('base64url');
  /** Who gets messages that name a topic. */
  readonly topics: Topics;

  constructor(
    @Inject(DTM_OPTIONS) private readonly options: CheckedModuleOptions,
    @Inject(DTM_SIGNER) private readonly signer: Signer | null,
    @Inject(DTM_OBSERVERS) private readonly observers: Observers,
    @Inject(DTM_BARRIERS) private readonly barriers: Barriers,
    private readonly workflows: Workflows,
    private readonly drain: BranchDrain,
  ) {
    this.#servers = new Map(Object.entries(options.servers).map(([name, server]) => [name, new DtmServer(server)]));
    this.topics = new Topics({ server: (name) => this.#server(name), branches: options.branches ?? {} });
  }

  /** Begins to build a saga. Nothing is sent before `submit()`. */
  saga(gid: string, options: SagaOptions = {}): Saga {
    return new Saga(gid, options, this.#context('saga', options.server));
  }

  /** Begins to build a message, plain or with a local step. Nothing is sent before `submit()` or `prepareAndSubmit()`. */
  message(gid: string, options: MessageOptions = {}): Message {
    return new Message(gid, options, this.#context('msg', options.server));
  }

  /**
   * Runs a TCC: `work` tries branch after branch, here and now; when it returns, DTM confirms them all, when it throws, DTM
   * cancels them all. DTM also cancels when this process dies before `work` returned.
   *
   * May be repeated with the same gid, from any process. The call that came first carries it out; in another one `work` does not
   * run, and it waits for the end until its deadline.
   *
   * @throws {Refusal} a branch refused: nothing stays
   * @throws {DtmAborted} DTM cancelled it, now at its timeout or before: nothing stays
   * @throws {DtmBranchFailed} a branch failed otherwise: nothing stays
   * @throws {DtmUnavailable} DTM could not be told of it (`work` was not begun), or not that it is complete: it cancels
   * @throws {DtmOutcomeUnknown} DTM did not tell whether it confirms, or another call is not done with it (DTM cancels at the
   * timeout should that one be dead); the same gid again later tells
   * @throws {DtmRefused} DTM rejected it, or the gid is another transaction's
   * @throws whatever `work` throws: nothing stays
   */
  tcc<T>(gid: string, work: (tcc: Tcc) => Promise<T>, options: TccOptions = {}): Promise<TccResult<T>> {
    return runTcc(gid, work, options, this.#context('tcc', options.server));
  }

  /**
   * Runs a workflow, a class with `@DtmWorkflow()`, here and now, until it has ended or a step fails; then DTM resumes it, as it
   * does when this process dies.
   *
   * May be repeated with the same gid as often as one likes, from any process: it ends once, and every call is told how. The
   * first call's input counts. With a gid that is under way in this process the call waits for its end, at most until the deadline.
   *
   * @throws {Refusal} the workflow was refused, now or before: what was done is taken back
   * @throws {DtmUnavailable} nothing was sent
   * @throws {DtmOutcomeUnknown} DTM may have it, and will carry it out then; the same gid again later tells
   * @throws {DtmRefused} DTM rejected it, or the gid is another transaction's; nothing has run
   * @throws {DtmProtocolError} an answer DTM 1.18 never gives
   * @throws {DtmInvalidOption} an option or the input is wrong: nothing was sent; what a step or
   * the workflow returned is too long: all is taken back
   */
  async workflow<Input, Output>(
    gid: string,
    type: Type<WorkflowHandler<Input, Output>>,
    input: NoInfer<Input>,
    options: WorkflowOptions = {},
  ): Promise<WorkflowResult<Output>> {
    const workflow = this.workflows.of(type);
    const context = this.#runContext(workflow, options.server);
    return this.drain.run(() => runWorkflow<Output>(gid, workflow, input, options, context));
  }

  /**
   * Goes on with a workflow that DTM asks for.
   *
   * @internal
   */
  async resumeWorkflow(gid: string, workflow: RegisteredWorkflow, server: string): Promise<BranchVerdict> {
    if (this.#inTurn.has(server, gid)) return { outcome: 'ongoing', text: 'is under way' };
    const context = this.#runContext(workflow, server);
    return this.#inTurn.run(server, gid, new Budget(context.server.deadlineMs), () =>
      resumeWorkflow(gid, workflow, context),
    );
  }

  /**
   * What the server has stored under `gid`; `null` when it does not know it.
   *
   * @throws {DtmUnavailable} no answer within the deadline
   * @throws {DtmGidTaken} the server takes the gid for another one's
   */
  query(gid: string, options: { server?: string; deadlineMs?: number } = {}): Promise<Transaction | null> {
    return this.#server(options.server).query(gid, options.deadlineMs);
  }

  /** Closes the connections to the servers. */
  onApplicationShutdown(): void {
    for (const server of this.#servers.values()) server.close();
    this.#caller.close();
  }

  #server(name = 'default'): DtmServer {
    const server = this.#servers.get(name);
    if (!server) throw new DtmInvalidOption('server', `there is no "${name}" among the module's servers`);
    return server;
  }

  #runContext({ barrier }: RegisteredWorkflow, server?: string): RunContext {
    const { classify: own, workflowCallback = workflowService.execute } = this.options;
    return {
      ...this.#context('workflow', server),
      callback: workflowCallback,
      barrier: this.barriers.get(barrier),
      closing: () => this.drain.closing,
      refuses: (error) => isMisuse(error) || /^(refused|invalid)$/.test(classify(error, own)),
    };
  }

  #context(transType: string, server = 'default'): TransactionContext {
    return {
      server: this.#server(server),
      serverMark: server === 'default' ? '' : encodeURIComponent(server),
      signer: this.signer,
      branches: this.options.branches ?? {},
      inTurn: (gid, budget, work) =>
        this.observers.submit({ gid, transType, server }, () => this.#inTurn.run(server, gid, budget, work)),
      observedHeaders: () => this.observers.headers(),
      owner: this.#owner,
      caller: this.#caller,
    };
  }
}
