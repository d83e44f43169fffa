/** Options of a transaction on the wire (`dtmgimp.DtmTransOptions` of DTM 1.18). Times in seconds; 0 and absent mean DTM's default. */
export interface DtmTransOptions {
  waitResult?: boolean;
  timeoutToFail?: number;
  retryInterval?: number;
  branchHeaders?: Record<string, string>;
  requestTimeout?: number;
  retryLimit?: number;
}

/** A transaction on the wire, as Prepare, Submit and Abort take it (`dtmgimp.DtmRequest`). */
export interface DtmRequest {
  gid: string;
  transType: string;
  transOptions: DtmTransOptions;
  /** JSON text, or empty. */
  customedData: string;
  /** Payload i belongs to step i. */
  payloads: readonly Uint8Array[];
  steps: readonly Readonly<Record<string, string>>[];
  /** Address of the back-check, or of a workflow's callback. */
  queryPrepared?: string;
  /** Why it is aborted. */
  rollbackReason?: string;
  /** Run a message's steps at once; the HTTP protocol alone can say it. */
  concurrent?: boolean;
  /**
   * DTM is to call this transaction by HTTP. A workflow's HTTP callback needs it: told by gRPC, DTM 1.18 posts a protobuf
   * message as JSON.
   */
  calledByHttp?: boolean;
  /** How a workflow ended. */
  reqExtra?: Readonly<Record<string, string>>;
}

/** A branch made known while a transaction is prepared (`dtmgimp.DtmBranchRequest`). */
export interface DtmBranchRequest {
  gid: string;
  transType: string;
  branchId: string;
  op: string;
  /** A TCC's `confirm` and `cancel` addresses; a workflow's `op`, `status` and `sync`. */
  data: Readonly<Record<string, string>>;
  payload: Uint8Array;
}
