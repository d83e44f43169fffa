export { checkIdempotencyKey, type Incoming, newContext, withRequestContext } from './new-context.js';
export { type RequestContext, requestContext, runInContext } from './request-context.js';
