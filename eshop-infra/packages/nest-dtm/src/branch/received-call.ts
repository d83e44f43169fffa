import type { ExecutionContext } from '@nestjs/common';
import { type BranchCall } from './branch.js';
import { grpcReplyOf } from './grpc-answer.js';
import type { Signer } from './signature.js';
import { calledMethod, SIGNATURE_PARAM, type SignedCall, signedHeaders } from './signed-call.js';

/** What is used of grpc-js's server call. */
interface GrpcCall {
  getPath?(): string;
}

/** What is used of a framework's request. */
interface HttpRequest {
  method?: string;
  url?: string;
  /** As it came, where the framework changes `url`. */
  originalUrl?: string;
  /** Nest's option `rawBody`. */
  rawBody?: Uint8Array;
  body?: unknown;
  query?: Record<string, unknown>;
}

/** Whether the call that came in carries a signature for just this call. */
export function isSigned(signer: Signer, context: ExecutionContext, call: BranchCall): boolean {
  const { transport, transType, gid, branchId, op } = call;
  const received = transport === 'grpc' ? fromGrpc(context) : fromHttp(context, signer);
  const ownSignature = transport === 'http' && transType === 'tcc' && op !== 'try';
  const signature = received && (ownSignature ? received.param : call.signature);
  if (!received || !signature) return false;
  const signed: SignedCall = {
    transport,
    transType,
    gid,
    branchId,
    op,
    method: received.method,
    payload: received.payload,
    headers: signedHeaders(call.header),
  };
  return signer.verify(signed, signature);
}

type Received = Pick<SignedCall, 'method' | 'payload'> & { param: string };

function fromGrpc(context: ExecutionContext): Received | undefined {
  const call = context.getArgByIndex<GrpcCall | undefined>(2);
  const payload = grpcReplyOf(call)?.payload;
  const method = call?.getPath?.();
  return payload && method !== undefined ? { method, payload, param: '' } : undefined;
}

function fromHttp(context: ExecutionContext, signer: Signer): Received | undefined {
  const request = context.switchToHttp().getRequest<HttpRequest>();
  const url = request.originalUrl ?? request.url ?? '';
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  const address = `http://-${signer.calledPath(path)}${end < 0 ? '' : url.slice(end)}`;
  if (!URL.canParse(address)) return undefined;
  const param = request.query?.[SIGNATURE_PARAM];
  return { method: calledMethod(address), payload: bodyOf(request), param: typeof param === 'string' ? param : '' };
}

/** The bytes DTM sent: as the framework kept them, else of a JSON body what `httpBranch` makes of it, which is the same text. */
function bodyOf({ method, rawBody, body }: HttpRequest): Uint8Array | string {
  if (method === 'GET' || method === 'HEAD') return '';
  if (rawBody instanceof Uint8Array) return rawBody;
  if (body === undefined || body === null) return '';
  return typeof body === 'string' || body instanceof Uint8Array ? body : (JSON.stringify(body) ?? '');
}
