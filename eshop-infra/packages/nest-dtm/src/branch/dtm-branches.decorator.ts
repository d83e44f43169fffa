import { applyDecorators, HttpCode, UseGuards, UseInterceptors } from '@nestjs/common';
import { BarrierInterceptor } from './barrier.interceptor.js';
import { SignatureGuard } from './signature.guard.js';

/**
 * Makes every method of a controller a transaction branch on each transport it is bound to: only signed calls come in, the
 * handler runs at most once inside one local transaction with its barrier row, and errors become what DTM understands.
 */
export function DtmBranches(): ClassDecorator {
  return (target) => {
    // DTM takes 200 and nothing else for a success; Nest answers 201 to a POST.
    for (const key of Object.getOwnPropertyNames(target.prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(target.prototype, key);
      if (key !== 'constructor' && typeof descriptor?.value === 'function')
        HttpCode(200)(target.prototype, key, descriptor);
    }
    applyDecorators(UseGuards(SignatureGuard), UseInterceptors(BarrierInterceptor))(target);
  };
}
