import type { Socket } from 'node:net';
import { ContractError } from '@eshop/proto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { newContext } from '../context/index.js';
import { errorBody, JSON_TYPE } from '../errors/envelope.js';
import { contextOf } from './request-state.js';

/** Answers a URL that the router cannot read, before any hook: bad percent-encoding, an endless path parameter. */
export function answerFrameworkError(error: { code?: string }, request: FastifyRequest, reply: FastifyReply): void {
  const description =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH' ? 'is too long' : 'is not a valid URL (percent-encoding, UTF-8)';
  const refusal = new ContractError('INVALID_PARAMETER', undefined, {
    violations: [{ field: '', rule: 'url', description: `the path ${description}` }],
  });
  refuse(refusal, request, reply);
}

/** Answers a request that goes no further, outside of Nest. */
export function refuse(refusal: ContractError, request: FastifyRequest, reply: FastifyReply): void {
  const { requestID } = contextOf(request);
  reply
    .code(refusal.httpStatus)
    .header('x-request-id', requestID)
    .header('content-type', JSON_TYPE)
    .send(errorBody(refusal, requestID));
}

/** Answers bytes that are no HTTP request: broken syntax, a head over 16 KiB, a request that never ends. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const { requestID } = newContext();
  const refusal = new ContractError('INVALID_PARAMETER', textOf(error.code));
  const body = errorBody(refusal, requestID);
  socket.end(
    `HTTP/1.1 ${refusal.httpStatus} Bad Request\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `X-Request-Id: ${requestID}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function textOf(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return 'the URL and headers are too long';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'the request did not arrive in time' : 'not an HTTP request';
}
