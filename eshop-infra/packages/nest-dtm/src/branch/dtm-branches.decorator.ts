import { applyDecorators, HttpCode, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { BarrierInterceptor } from './barrier.interceptor.js';
import { markBranch } from './branch-metadata.js';
import { ForeignErrorFilter } from './foreign-error.filter.js';
import { SignatureGuard } from './signature.guard.js';

/** Settings of a controller with branches. */
export interface BranchesOptions {
  /**
   * Name among the module's barriers. Default `default`, or the only one. `false`: none, for branches that are harmless when
   * repeated, reordered and undone without having run, by what they do themselves. One such is a compensation whose step has
   * no action: a barrier would take it for the compensation of nothing.
   */
  barrier?: string | false;
  /**
   * Whether a compensation that answers 400, 422 or INVALID_ARGUMENT is given up, with an error in the log. Default: only without a
   * barrier. Under one it runs only when its action took effect, so that giving it up loses that effect for good: it is repeated
   * until it succeeds, with an error in the log each time.
   */
  dropInvalidCompensations?: boolean;
}

/**
 * Makes every method of a controller a transaction branch on each transport it is bound to: only signed calls come in, the
 * handler runs at most once inside one local transaction with its barrier row, and errors become what DTM understands.
 */
export function DtmBranches(options: BranchesOptions = {}): ClassDecorator {
  return (target) => {
    const { barrier, dropInvalidCompensations = barrier === false } = options;
    markBranch(target, { kind: 'branch', barrier, dropInvalidCompensations });
    // DTM takes 200 and nothing else for a success; Nest answers 201 to a POST.
    for (const key of Object.getOwnPropertyNames(target.prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(target.prototype, key);
      if (key !== 'constructor' && typeof descriptor?.value === 'function')
        HttpCode(200)(target.prototype, key, descriptor);
    }
    applyDecorators(
      UseGuards(SignatureGuard),
      UseInterceptors(BarrierInterceptor),
      UseFilters(ForeignErrorFilter),
    )(target);
  };
}
