import { type ArgumentsHost, Catch, Inject, Logger, Optional } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { throwError } from 'rxjs';
import type { DtmModuleOptions } from '../dtm-options.js';
import { DTM_OPTIONS } from '../tokens.js';
import { answer, BranchHttpException, BranchRpcException } from './answer.js';
import { readBranchCall } from './branch.js';
import { isOpOf } from './op.js';
import { verdictOf } from './verdict.js';

/** Every error that is not yet an answer to DTM. */
// biome-ignore lint/complexity/noStaticOnlyClass: Nest asks `instanceof`
class ForeignError {
  static [Symbol.hasInstance](error: unknown): boolean {
    return !(error instanceof BranchHttpException || error instanceof BranchRpcException);
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
    const { transport, transType, gid, branchId, op } = readBranchCall(host);
    const { outcome, text } = verdictOf(error, transType, isOpOf(transType, op) ? op : 'msg', this.options.classify);
    this.#logger.warn(`branch ${gid}/${branchId} ${op} did not reach its handler: ${text}`);
    const kind = outcome === 'refused' || outcome === 'ongoing' ? outcome : 'retry';
    const exception = answer(transport, kind, text);
    if (exception instanceof BranchRpcException) return throwError(() => exception.getError());
    return super.catch(exception, host);
  }
}
