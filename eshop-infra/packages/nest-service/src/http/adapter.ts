import { StreamableFile } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import type { ServiceConfig } from '../config/index.js';
import { JSON_TYPE, successBody } from '../errors/envelope.js';
import { LARGE_REPLY } from '../large-replies.js';
import { answerClientError, answerFrameworkError } from './framework-errors.js';
import { ROUTER_OPTIONS } from './router-options.js';

/** Fastify under Nest; wraps what controllers return into the envelope. */
export class EnvelopeAdapter extends FastifyAdapter {
  constructor(http: ServiceConfig['http']) {
    super({
      bodyLimit: http.bodyLimit,
      requestTimeout: http.requestTimeoutMs,
      routerOptions: ROUTER_OPTIONS,
      forceCloseConnections: 'idle',
      return503OnClosing: false,
      http: {
        requireHostHeader: false,
        // Else Node's own minute, and half a minute more until it looks.
        headersTimeout: http.requestTimeoutMs,
        connectionsCheckingInterval: checkingInterval(http.requestTimeoutMs),
      },
      frameworkErrors: answerFrameworkError,
      clientErrorHandler: answerClientError,
    });
  }

  override reply(response: FastifyReply, body: unknown, statusCode?: number) {
    if (body instanceof StreamableFile) return super.reply(response, body, statusCode);
    response.code(statusCode ?? 200).header('content-type', JSON_TYPE);
    const text = successBody(body);
    // A large text is not kept on the heap until the client has taken it.
    return response.send(text.length > LARGE_REPLY ? Buffer.from(text) : text) as unknown as ReturnType<
      FastifyAdapter['reply']
    >;
  }
}

/** How often to look for requests that are late, ms: a small part of the time that they have. */
function checkingInterval(requestTimeoutMs: number): number {
  return Math.min(Math.max(Math.round(requestTimeoutMs / 20), 50), 1_000);
}
