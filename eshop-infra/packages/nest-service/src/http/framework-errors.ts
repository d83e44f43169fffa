import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ContractError } from '@eshop/proto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { newContext } from '../context/index.js';
import { errorBody, JSON_TYPE } from '../errors/envelope.js';
import { contextOf } from './request-state.js';
import { retryAfter } from './retry-after.js';

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
  const seconds = retryAfter(refusal.code);
  if (seconds !== undefined) reply.header('retry-after', seconds);
  reply
    .code(refusal.httpStatus)
    .header('x-request-id', requestID)
    .header('content-type', JSON_TYPE)
    .send(errorBody(refusal, requestID));
}

/** For how long a client that was refused may go on sending, so that it reads the answer before the connection is cut, ms. */
const LINGER_MS = 1_000;

/** Answers what never becomes a request: broken syntax, a head over 16 KiB, a request that is not sent to its end in time. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  // Node's name for the answer that is being written to this connection: another in its middle would be read as part of it.
  const { _httpMessage: current } = socket as { _httpMessage?: { headersSent: boolean } };
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || current?.headersSent) {
    socket.destroy();
    return;
  }
  const { requestID } = newContext();
  const refusal = refusalOf(error.code);
  const body = errorBody(refusal, requestID);
  socket.end(
    `HTTP/1.1 ${refusal.httpStatus} ${STATUS_CODES[refusal.httpStatus]}\r\nContent-Type: ${JSON_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestID}\r\nConnection: close\r\n\r\n${body}`,
  );
  const cut = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(cut));
}

function refusalOf(code: string | undefined): ContractError {
  if (code === 'HPE_HEADER_OVERFLOW') return new ContractError('HEADERS_TOO_LARGE');
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return new ContractError('BODY_TOO_LARGE');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new ContractError('REQUEST_TIMEOUT');
  return new ContractError('INVALID_PARAMETER', 'not an HTTP request');
}
