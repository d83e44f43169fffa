import { SIGNATURE_HEADER } from '../branch/signature.js';
import { DtmProtocolError } from '../errors.js';

/** Status of a transaction as DTM stores it. */
export type TransactionStatus = 'prepared' | 'submitted' | 'aborting' | 'succeed' | 'failed';

/** One operation of a branch as DTM stores it. */
export interface TransactionBranch {
  /** `01`, `02`, … in step order. */
  branchId: string;
  /** `action`, `compensate`, … */
  op: string;
  /** `prepared`, `succeed` or `failed`. */
  status: string;
  /** Where DTM calls it; empty = nowhere. */
  url: string;
  /** The payload, base64; of a workflow, what the step came to. */
  data: string;
}

/** What the DTM server knows of a transaction. */
export interface Transaction {
  /** Its id. */
  gid: string;
  /** `saga`, `msg`, `tcc`, `xa` or `workflow`. */
  transType: string;
  /** How far it is. */
  status: TransactionStatus;
  /** Why it is rolled back, in DTM's words; empty when it is not. {@link refusalText} takes the branch's words out. */
  rollbackReason: string;
  /** What a workflow returned, as it was submitted; empty for other types. */
  result: string;
  /** Sent with every branch call, but for the signature. */
  headers: Record<string, string>;
  /** Longest time of one branch call, seconds; 0 = DTM's default. */
  requestTimeout: number;
  /** What its submitter and DTM keep with it. */
  customData: Record<string, unknown>;
  /** Its branches, one entry per op. */
  branches: TransactionBranch[];
}

const STATUSES: readonly string[] = ['prepared', 'submitted', 'aborting', 'succeed', 'failed'];

/** Reads the body of `GET /api/dtmsvr/query`; `null` when the server does not know the gid. */
export function parseTransaction(body: string): Transaction | null {
  const { transaction, branches } = record(parse(body)) ?? {};
  if (transaction === null) return null;
  const fields = record(transaction) ?? {};
  const { gid, trans_type, status, rollback_reason, result, custom_data } = fields;
  if (typeof gid !== 'string' || typeof status !== 'string' || !STATUSES.includes(status)) {
    throw new DtmProtocolError(`the answer to a query is no transaction: ${body.slice(0, 200)}`);
  }
  return {
    gid,
    transType: text(trans_type),
    status: status as TransactionStatus,
    rollbackReason: text(rollback_reason).toWellFormed(),
    result: text(result),
    ...readOptions(fields),
    customData: (custom_data ? record(parse(text(custom_data))) : null) ?? {},
    branches: (Array.isArray(branches) ? branches : []).map((branch) => {
      const { branch_id, op, status: branchStatus, url, bin_data } = record(branch) ?? {};
      return {
        branchId: text(branch_id),
        op: text(op),
        status: text(branchStatus),
        url: text(url),
        data: text(bin_data),
      };
    }),
  };
}

/** Options are a text; of a workflow that has ended DTM's Redis store has them beside the other fields only. */
function readOptions(fields: Record<string, unknown>): Pick<Transaction, 'headers' | 'requestTimeout'> {
  const { branch_headers, request_timeout } = record(parse(text(fields.options))) ?? fields;
  const headers = Object.entries(record(branch_headers) ?? {}).filter(([key]) => key !== SIGNATURE_HEADER);
  return {
    headers: Object.fromEntries(headers.map(([key, value]) => [key, text(value)])),
    requestTimeout: typeof request_timeout === 'number' ? request_timeout : 0,
  };
}

/**
 * The refusing branch's own words inside DTM's rollback reason, `url:<url> return failed: <words> FAILURE`. Of a JSON body, as
 * an HTTP branch answers, its `message`.
 */
export function refusalText(rollbackReason: string): string {
  const words = rollbackReason.replace(/^url:\S* return failed: /, '').replace(/\s*FAILURE$/, '');
  return text(words.startsWith('{') ? record(parse(words))?.message : undefined) || words;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
