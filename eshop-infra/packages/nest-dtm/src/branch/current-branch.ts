import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import type { Branch } from './branch.js';

const store = new AsyncLocalStorage<Branch>();

/** Runs what belongs to a branch call, so that {@link CurrentBranch} finds it. */
export function runInBranch<T>(branch: Branch, run: () => Promise<T>): Promise<T> {
  return store.run(branch, run);
}

/**
 * The branch call the code runs in, under any barrier or none. How often DTM has called before is not known: the protocol does
 * not say it.
 */
@Injectable()
export class CurrentBranch {
  /** The call's identity; `undefined` outside of a branch call. */
  get branch(): Branch | undefined {
    return store.getStore();
  }

  /** Id of the transaction; for log lines. `undefined` outside of a branch call. */
  get gid(): string | undefined {
    return store.getStore()?.gid;
  }
}
