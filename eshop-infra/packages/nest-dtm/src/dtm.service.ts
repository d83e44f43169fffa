import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Signer } from './branch/signature.js';
import type { DtmModuleOptions } from './dtm-options.js';
import { DtmInvalidOption } from './errors.js';
import { Saga } from './saga/saga.js';
import type { SagaOptions } from './saga/saga-options.js';
import { type Submission, type SubmitResult, submit } from './saga/submit.js';
import { DtmServer } from './server/dtm-server.js';
import type { Transaction } from './server/transaction.js';
import { DTM_OPTIONS, DTM_SIGNER } from './tokens.js';

/** Starts transactions and tells what became of them. */
@Injectable()
export class DtmService implements OnApplicationShutdown {
  readonly #servers: ReadonlyMap<string, DtmServer>;
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(
    @Inject(DTM_OPTIONS) private readonly options: DtmModuleOptions,
    @Inject(DTM_SIGNER) private readonly signer: Signer | null,
  ) {
    this.#servers = new Map(Object.entries(options.servers).map(([name, server]) => [name, new DtmServer(server)]));
  }

  /** Begins to build a saga. Nothing is sent before `submit()`. */
  saga(gid: string, options: SagaOptions = {}): Saga {
    return new Saga(gid, options, {
      server: this.#server(options.server),
      signer: this.signer,
      branches: this.options.branches ?? {},
      submit: (submission) => this.#submit(submission),
    });
  }

  /**
   * What the server has stored under `gid`; `null` when it does not know it.
   *
   * @throws {DtmUnavailable} no answer within the deadline
   */
  query(gid: string, options: { server?: string; deadlineMs?: number } = {}): Promise<Transaction | null> {
    return this.#server(options.server).query(gid, options.deadlineMs);
  }

  onApplicationShutdown(): void {
    for (const server of this.#servers.values()) server.close();
  }

  #server(name = 'default'): DtmServer {
    const server = this.#servers.get(name);
    if (!server) throw new DtmInvalidOption('server', `there is no "${name}" among the module's servers`);
    return server;
  }

  /** One after the other for a gid: DTM runs the branches again for each submit that reaches it while they run. */
  async #submit(submission: Submission): Promise<SubmitResult> {
    const { gid } = submission;
    const before = this.#underWay.get(gid);
    const current = before
      ? before.then(
          () => submit({ ...submission, options: { ...submission.options, fresh: false } }),
          () => submit({ ...submission, options: { ...submission.options, fresh: false } }),
        )
      : submit(submission);
    this.#underWay.set(gid, current);
    try {
      return await current;
    } finally {
      if (this.#underWay.get(gid) === current) this.#underWay.delete(gid);
    }
  }
}
