import { applyDecorators, HttpCode, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { markBranch } from '../branch/branch-metadata.js';
import { ForeignErrorFilter } from '../branch/foreign-error.filter.js';
import { SignatureGuard } from '../branch/signature.guard.js';
import { WorkflowCallbackInterceptor } from './workflow-callback.interceptor.js';

/**
 * Makes a controller method the one by which DTM resumes this application's workflows, all of them; the method's body does not
 * run. Over gRPC as `@GrpcMethod('workflow.Workflow', 'execute')` with `workflowService`, over HTTP with `@Post` and the
 * module's `workflowCallback`.
 */
export function DtmWorkflowCallback(): MethodDecorator {
  return (target, key, descriptor) => {
    if (typeof descriptor.value !== 'function') throw new TypeError('@DtmWorkflowCallback() is for methods');
    markBranch(descriptor.value, { kind: 'workflow-callback', barrier: false });
    applyDecorators(
      HttpCode(200),
      UseGuards(SignatureGuard),
      UseInterceptors(WorkflowCallbackInterceptor),
      UseFilters(ForeignErrorFilter),
    )(target, key, descriptor);
  };
}
