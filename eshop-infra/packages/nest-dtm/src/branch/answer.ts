import { HttpException } from '@nestjs/common';
import { detailsOf } from './error-details.js';
import { rpcException } from './rpc-exception.js';
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

/** An error that makes Nest give an answer to DTM. */
export interface BranchAnswer extends Error {
  readonly kind: AnswerKind;
  readonly code: string;
  readonly grpcStatus: number;
  readonly httpStatus: number;
}

const BRANCH_ANSWER = Symbol('DtmBranchAnswer');

/**
 * The exception that makes Nest give this answer on the call's transport. Over gRPC it is an RpcException, which Nest's own filter and
 * any other pass on as `{ code, message }`. Over HTTP the body has the form of Nest's own exceptions unless an application's filter
 * renders another.
 */
export function answer(transport: 'grpc' | 'http', kind: AnswerKind, text: string): BranchAnswer {
  const clean = answerText(text);
  const { grpcStatus, httpStatus, code } = ANSWERS[kind];
  const exception =
    transport === 'grpc'
      ? rpcException(grpcStatus, clean)
      : new HttpException({ statusCode: httpStatus, message: clean }, httpStatus);
  return Object.assign(exception, {
    [BRANCH_ANSWER]: true,
    message: clean,
    kind,
    code,
    grpcStatus,
    httpStatus,
  });
}

/** Whether an error is an answer to DTM already. */
export function isBranchAnswer(error: unknown): error is BranchAnswer {
  return error instanceof Error && BRANCH_ANSWER in error;
}

/**
 * An error's words for DTM's rollback reason: `CODE: message (details)`, with the code of its own that the error may have, and what a
 * validator says is wrong.
 */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const details = detailsOf(error).join('; ');
  // Zod's message is its list of details as JSON.
  const message = details && error.message.startsWith('[') ? error.name : error.message;
  const text = code && message && code !== message ? `${code}: ${message}` : code || message || error.name;
  return details && !text.includes(details) ? `${text} (${details})` : text;
}
