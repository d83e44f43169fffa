export { checkIdempotencyKey, type Incoming, newContext, withRequestContext } from './new-context.js';
export { apartFromReply, type RequestContext, requestContext, runInContext } from './request-context.js';
