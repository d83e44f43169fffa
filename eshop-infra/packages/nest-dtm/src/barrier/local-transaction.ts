import { Injectable } from '@nestjs/common';
import type { ResultSetHeader, RowDataPacket } from 'mysql2';
import type { EntityManager, EntityTarget, ObjectLiteral, Repository } from 'typeorm';
import type { Branch } from '../branch/branch.js';
import { type BranchContext, branchContext } from './branch-context.js';
import type { SqlValue } from './mysql-transaction.js';
import type { SharedWrite } from './shared-writes.js';

/**
 * The local transaction of the branch call the code runs in. It commits with the barrier row when the handler returns, and
 * is rolled back when the handler throws. Inject it wherever SQL is written; it needs not be handed along.
 */
@Injectable()
export class LocalTransaction {
  /** Runs a prepared write on the branch's connection. */
  execute(sql: string, values: readonly SqlValue[] = []): Promise<ResultSetHeader> {
    return this.#context().transaction.execute<ResultSetHeader>(sql, values);
  }

  /** Runs a prepared read on the branch's connection. */
  query<Row>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return this.#context().transaction.execute<(Row & RowDataPacket)[]>(sql, values);
  }

  /**
   * Writes an item, and if other calls share the transaction, together with what they give the same `write` (the same function
   * object): one statement then serves all. `write` is given the items in the calls' order, and what it resolves with at an item's
   * place comes back here. When it throws, the whole group is undone, and each call runs again alone.
   *
   * What a handler has to read, it reads before: the others' writes come between this call and its end.
   */
  async writeTogether<Item, Result = undefined>(write: SharedWrite<Item, Result>, item: Item): Promise<Result> {
    const context = this.#context();
    const { writes } = context;
    if (!writes?.gathering) return (await write([item]))?.[0] as Result;
    return (await writes.add(context, write, item)) as Result;
  }

  /** TypeORM's repository of an entity, on the same connection and transaction. */
  getRepository<Entity extends ObjectLiteral>(entity: EntityTarget<Entity>): Repository<Entity> {
    return this.manager.getRepository(entity);
  }

  /** TypeORM's entity manager on the same connection and transaction. */
  get manager(): EntityManager {
    return this.#context().transaction.manager;
  }

  /** The branch call. */
  get branch(): Branch {
    return this.#context().branch;
  }

  /** Whether the current code runs in a branch call. */
  get active(): boolean {
    return branchContext.getStore() !== undefined;
  }

  #context(): BranchContext {
    const context = branchContext.getStore();
    if (!context) throw new Error('LocalTransaction is used outside of a branch call');
    return context;
  }
}
