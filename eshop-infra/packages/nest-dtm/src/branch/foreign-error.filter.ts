import { type ArgumentsHost, Catch, HttpException, Inject, Logger, Optional } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { of, throwError } from 'rxjs';
import type { DtmModuleOptions } from '../dtm-options.js';
import { DTM_OPTIONS } from '../tokens.js';
import { answer, describe, isBranchAnswer } from './answer.js';
import { readBranchCall } from './branch.js';
import { isOpOf } from './op.js';
import { openAnswer } from './open-answer.js';
import type { Decision } from './pending-answer.js';
import { isRpcException } from './rpc-exception.js';
import { verdictOf } from './verdict.js';

/** Every error that is not yet an answer to DTM. */
// biome-ignore lint/complexity/noStaticOnlyClass: Nest asks `instanceof`
class ForeignError {
  static [Symbol.hasInstance](error: unknown): boolean {
    return !isBranchAnswer(error);
  }
}

/**
 * Turns errors from around a branch, of an application's own guards and interceptors, into answers DTM understands. Those that
 * are answers already are left to the application's filters.
 */
@Catch(ForeignError)
export class ForeignErrorFilter extends BaseExceptionFilter {
  readonly #logger = new Logger('Dtm');

  constructor(
    @Inject(DTM_OPTIONS) private readonly options: DtmModuleOptions,
    @Optional() @Inject(HttpAdapterHost) host?: HttpAdapterHost,
  ) {
    super(host?.httpAdapter);
  }

  override catch(error: unknown, host: ArgumentsHost): unknown {
    const pending = openAnswer(host);
    const decision = pending.decision ?? (pending.begun ? this.#givenUp(error, host) : this.#foreign(error, host));
    if (pending.decision) this.#log(host, `an error around it changes nothing: ${describe(error)}`);
    pending.decide(decision);
    const { transport } = readBranchCall(host);
    if (decision.kind === 'success')
      return transport === 'grpc' ? of(decision.value) : super.catch(new HttpException({}, 200), host);
    const exception = answer(transport, decision.kind, decision.text);
    if (isRpcException(exception)) return throwError(() => exception.getError());
    return super.catch(exception, host);
  }

  /** Of what stands around the branch and fails before it is reached. */
  #foreign(error: unknown, host: ArgumentsHost): Decision {
    const { transType, op } = readBranchCall(host);
    const { outcome, text } = verdictOf(error, transType, isOpOf(transType, op) ? op : 'msg', this.options.classify);
    this.#log(host, `did not reach its handler: ${text}`);
    return { kind: outcome === 'refused' || outcome === 'ongoing' ? outcome : 'retry', text };
  }

  /** Of what does not wait for the branch's end. It may still take effect, so whatever the error says, this is no refusal. */
  #givenUp(error: unknown, host: ArgumentsHost): Decision {
    const text = describe(error);
    this.#log(host, `was not waited for: ${text}`);
    return { kind: 'retry', text: `to be called again: ${text}` };
  }

  #log(host: ArgumentsHost, text: string): void {
    const { gid, branchId, op } = readBranchCall(host);
    this.#logger.warn(`branch ${gid}/${branchId} ${op} ${text}`);
  }
}
