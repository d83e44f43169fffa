import type { Signer } from '../branch/signature.js';
import type { DtmServer } from '../server/dtm-server.js';
import type { BranchCaller } from './branch-caller.js';
import type { Budget } from './budget.js';

/** What a transaction needs of the module. */
export interface TransactionContext {
  server: DtmServer;
  /** Its name as branches are told it: encoded as in a URL, empty for `default`. */
  serverMark: string;
  signer: Signer | null;
  /** gRPC service full name → `host:port` as DTM reaches it. */
  branches: Readonly<Record<string, string>>;
  /** What the module's observers send with every branch call. */
  observedHeaders(): Record<string, string>;
  /** Mark of this process among all that use the same gids. */
  owner: string;
  /** Calls the branches that DTM leaves to the submitter. */
  caller: BranchCaller;
  /** Lets one piece of work at a time be done for a gid, as {@link InTurn.run}; `first` when nothing else was under way. */
  inTurn<T>(gid: string, budget: Budget, work: (first: boolean) => Promise<T>): Promise<T>;
}
