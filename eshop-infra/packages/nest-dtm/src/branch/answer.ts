import { HttpException } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { answerText } from './sendable-text.js';

/** An answer to DTM other than success. */
export type AnswerKind = 'refused' | 'ongoing' | 'retry' | 'unauthenticated';

/** Only ABORTED / 409 makes DTM roll back, only FAILED_PRECONDITION / 425 means "ongoing" (dtmcli/utils.go, dtmgrpc/type.go). */
export const ANSWERS = {
  refused: { grpcStatus: 10, httpStatus: 409, code: 'ABORTED' },
  ongoing: { grpcStatus: 9, httpStatus: 425, code: 'TOO_EARLY' },
  retry: { grpcStatus: 14, httpStatus: 503, code: 'UNAVAILABLE' },
  unauthenticated: { grpcStatus: 16, httpStatus: 401, code: 'UNAUTHENTICATED' },
} as const;

/** Answer over gRPC: Nest's own filter and any other pass `{ code, message }` on. */
export class BranchRpcException extends RpcException {
  readonly code: string;
  readonly grpcStatus: number;
  readonly httpStatus: number;

  constructor(
    readonly kind: AnswerKind,
    message: string,
  ) {
    super({ code: ANSWERS[kind].grpcStatus, message });
    this.code = ANSWERS[kind].code;
    this.grpcStatus = ANSWERS[kind].grpcStatus;
    this.httpStatus = ANSWERS[kind].httpStatus;
  }
}

/** Answer over HTTP. The body has the form of Nest's own exceptions unless an application's filter renders another. */
export class BranchHttpException extends HttpException {
  readonly code: string;
  readonly grpcStatus: number;
  readonly httpStatus: number;

  constructor(
    readonly kind: AnswerKind,
    message: string,
  ) {
    super({ statusCode: ANSWERS[kind].httpStatus, message }, ANSWERS[kind].httpStatus);
    this.message = message;
    this.code = ANSWERS[kind].code;
    this.grpcStatus = ANSWERS[kind].grpcStatus;
    this.httpStatus = ANSWERS[kind].httpStatus;
  }
}

/** The exception that makes Nest give this answer on the call's transport. */
export function answer(
  transport: 'grpc' | 'http',
  kind: AnswerKind,
  text: string,
): BranchRpcException | BranchHttpException {
  const clean = answerText(text);
  return transport === 'grpc' ? new BranchRpcException(kind, clean) : new BranchHttpException(kind, clean);
}

/** An error's words for DTM's rollback reason: `CODE: message` when the error has a code of its own. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code && error.message && code !== error.message) return `${code}: ${error.message}`;
  return code || error.message || error.name;
}
