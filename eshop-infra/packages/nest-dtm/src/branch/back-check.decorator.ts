import { applyDecorators, HttpCode, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { BackCheckInterceptor } from './back-check.interceptor.js';
import { markBranch } from './branch-metadata.js';
import { ForeignErrorFilter } from './foreign-error.filter.js';
import { SignatureGuard } from './signature.guard.js';

/** Settings of a back-check. */
export interface BackCheckOptions {
  /** Name among the module's barriers: the one whose `local(…)` made the local step. Default `default`, or the only one. */
  barrier?: string;
}

/**
 * Makes a controller method the answer to DTM's question what became of a message whose submitter has died: done, or (from now
 * on) never. The barrier answers; the method's body does not run. Over gRPC, and over HTTP with `@Get` or `@Post`.
 */
export function DtmBackCheck(options: BackCheckOptions = {}): MethodDecorator {
  return (target, key, descriptor) => {
    if (typeof descriptor.value !== 'function') throw new TypeError('@DtmBackCheck() is for methods');
    markBranch(descriptor.value, { kind: 'back-check', barrier: options.barrier });
    applyDecorators(
      HttpCode(200),
      UseGuards(SignatureGuard),
      UseInterceptors(BackCheckInterceptor),
      UseFilters(ForeignErrorFilter),
    )(target, key, descriptor);
  };
}
