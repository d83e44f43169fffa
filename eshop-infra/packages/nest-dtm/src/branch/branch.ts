import type { Metadata } from '@grpc/grpc-js';
import type { ArgumentsHost } from '@nestjs/common';
import { grpcJs } from '../server/grpc-js.js';
import type { BranchOp } from './op.js';
import { SIGNATURE_HEADER } from './signature.js';

/** Identity of a branch call; with it the barrier tells repeats. */
export interface Branch {
  /** `saga`, `msg`, `tcc` or `workflow`. */
  transType: string;
  /** Id of the transaction. */
  gid: string;
  /** `01`, `02`, … in step order. */
  branchId: string;
  /** What DTM wants of the branch. */
  op: BranchOp;
  /**
   * Name of the DTM server, encoded as in a URL; absent or empty for the one named `default`. The submitter says it: DTM itself does not
   * say who it is.
   */
  server?: string;
}

/** A call that claims to come from DTM. */
export interface BranchCall {
  transport: 'grpc' | 'http';
  transType: string;
  gid: string;
  branchId: string;
  op: string;
  signature: string;
  /** Metadata or header of the call; the name in lower case, absent = empty text. */
  header(name: string): string;
  /** When the caller gives up, epoch milliseconds; `undefined`: it does not say. */
  deadline: number | undefined;
  /** Whether the caller has given up meanwhile. */
  cancelled(): boolean;
  /** Sends a header, or metadata, with the answer; the name in lower case. */
  setHeader(name: string, value: string): void;
}

/** What is used of grpc-js's server call. */
interface GrpcCall {
  cancelled?: boolean;
  getDeadline?(): Date | number;
  sendMetadata?(metadata: Metadata): void;
}

interface HttpRequest {
  query?: Record<string, unknown>;
  headers?: Record<string, unknown>;
}

/** What is used of a response; Express and Fastify both have it. */
interface HttpResponse {
  header?(name: string, value: string): unknown;
}

/** Reads the identity from gRPC metadata (`dtm-gid` …) or from the query of an HTTP request (`gid` …). Absent = empty text. */
export function readBranchCall(context: ArgumentsHost): BranchCall {
  return context.getType() === 'rpc' ? fromGrpc(context) : fromHttp(context);
}

function fromGrpc(context: ArgumentsHost): BranchCall {
  const metadata = context.getArgByIndex<Metadata | undefined>(1);
  const call = context.getArgByIndex<GrpcCall | undefined>(2);
  const first = (key: string): string => text(metadata?.get?.(key)[0]);
  const deadline = Number(call?.getDeadline?.() ?? Infinity);
  return {
    transport: 'grpc',
    transType: first('dtm-trans_type'),
    gid: first('dtm-gid'),
    branchId: first('dtm-branch_id'),
    op: first('dtm-op'),
    signature: first(SIGNATURE_HEADER),
    header: first,
    deadline: Number.isFinite(deadline) ? deadline : undefined,
    cancelled: () => call?.cancelled === true || deadline <= Date.now(),
    setHeader: (name, value) => {
      const header = new (grpcJs('a gRPC call').Metadata)();
      header.set(name, value);
      call?.sendMetadata?.(header);
    },
  };
}

function fromHttp(context: ArgumentsHost): BranchCall {
  const { query = {}, headers = {} } = context.getArgByIndex<HttpRequest>(0);
  return {
    transport: 'http',
    transType: text(query.trans_type),
    gid: text(query.gid),
    branchId: text(query.branch_id),
    op: text(query.op),
    signature: text(headers[SIGNATURE_HEADER]),
    header: (name) => text(headers[name]),
    deadline: undefined,
    cancelled: () => false,
    setHeader: (name, value) => {
      context.getArgByIndex<HttpResponse>(1).header?.(name, value);
    },
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
