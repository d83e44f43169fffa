import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Signer } from './branch/signature.js';
import type { DtmModuleOptions } from './dtm-options.js';
import { DtmInvalidOption } from './errors.js';
import { Message } from './message/message.js';
import type { MessageOptions } from './message/message-options.js';
import type { Observers } from './observe/observer.js';
import { Saga } from './saga/saga.js';
import type { SagaOptions } from './saga/saga-options.js';
import { DtmServer } from './server/dtm-server.js';
import type { Transaction } from './server/transaction.js';
import { DTM_OBSERVERS, DTM_OPTIONS, DTM_SIGNER } from './tokens.js';
import { InTurn } from './transaction/in-turn.js';
import type { TransactionContext } from './transaction/transaction-context.js';

/** Starts transactions and tells what became of them. */
@Injectable()
export class DtmService implements OnApplicationShutdown {
  readonly #servers: ReadonlyMap<string, DtmServer>;
  /** DTM runs the branches again for each submit that reaches it while they run. */
  readonly #inTurn = new InTurn();

  constructor(
    @Inject(DTM_OPTIONS) private readonly options: DtmModuleOptions,
    @Inject(DTM_SIGNER) private readonly signer: Signer | null,
    @Inject(DTM_OBSERVERS) private readonly observers: Observers,
  ) {
    this.#servers = new Map(Object.entries(options.servers).map(([name, server]) => [name, new DtmServer(server)]));
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
   * What the server has stored under `gid`; `null` when it does not know it.
   *
   * @throws {DtmUnavailable} no answer within the deadline
   */
  query(gid: string, options: { server?: string; deadlineMs?: number } = {}): Promise<Transaction | null> {
    return this.#server(options.server).query(gid, options.deadlineMs);
  }

  /** Closes the connections to the servers. */
  onApplicationShutdown(): void {
    for (const server of this.#servers.values()) server.close();
  }

  #server(name = 'default'): DtmServer {
    const server = this.#servers.get(name);
    if (!server) throw new DtmInvalidOption('server', `there is no "${name}" among the module's servers`);
    return server;
  }

  #context(transType: string, server = 'default'): TransactionContext {
    return {
      server: this.#server(server),
      signer: this.signer,
      branches: this.options.branches ?? {},
      inTurn: (gid, work) => this.observers.submit({ gid, transType, server }, () => this.#inTurn.run(gid, work)),
      observedHeaders: () => this.observers.headers(),
    };
  }
}
