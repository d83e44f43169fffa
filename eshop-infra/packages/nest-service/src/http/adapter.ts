import { StreamableFile } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import type { ServiceConfig } from '../config/index.js';
import { JSON_TYPE, successBody } from '../errors/envelope.js';
import { answerClientError, answerFrameworkError } from './framework-errors.js';

/** Longest path parameter; longer ones are refused before any handler. */
const MAX_PARAM_LENGTH = 256;

/** Fastify under Nest; wraps what controllers return into the envelope. */
export class EnvelopeAdapter extends FastifyAdapter {
  constructor(http: ServiceConfig['http']) {
    super({
      bodyLimit: http.bodyLimit,
      requestTimeout: http.requestTimeoutMs,
      routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
      forceCloseConnections: 'idle',
      return503OnClosing: false,
      http: { requireHostHeader: false },
      frameworkErrors: answerFrameworkError,
      clientErrorHandler: answerClientError,
    });
  }

  override reply(response: FastifyReply, body: unknown, statusCode?: number) {
    if (body instanceof StreamableFile) return super.reply(response, body, statusCode);
    response.code(statusCode ?? 200).header('content-type', JSON_TYPE);
    return response.send(successBody(body)) as unknown as ReturnType<FastifyAdapter['reply']>;
  }
}
