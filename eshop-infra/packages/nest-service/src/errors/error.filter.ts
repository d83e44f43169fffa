import { ContractError } from '@eshop/proto';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, throwError } from 'rxjs';
import { refuse } from '../http/framework-errors.js';
import { contextOf } from '../http/request-state.js';
import type { RouteTable } from '../http/routes.js';
import type { Loggers } from '../log/logger.js';
import { logError } from './log-error.js';
import { toContractError } from './to-contract-error.js';

/** Turns everything thrown into the envelope. On gRPC it only passes the error on: the server's wrapper maps it. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(
    private readonly routes: RouteTable,
    private readonly loggers: Loggers,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): Observable<never> | undefined {
    if (host.getType() !== 'http') return throwError(() => thrown);
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const context = contextOf(request);
    const error = request.is404 ? this.noRoute(request, reply) : toContractError(thrown);
    logError(this.loggers.log, error, context);
    if (reply.sent) return undefined;
    refuse(error, request, reply);
    return undefined;
  }

  private noRoute({ method, url }: FastifyRequest, reply: FastifyReply): ContractError {
    const methods = this.routes.methodsOf(url);
    if (methods.length === 0) return new ContractError('ROUTE_NOT_FOUND');
    reply.header('allow', methods.join(', '));
    return new ContractError('METHOD_NOT_ALLOWED', `${method} is not possible here, only ${methods.join(', ')}`);
  }
}
