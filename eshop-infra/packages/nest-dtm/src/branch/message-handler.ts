/**
 * What Nest's decorators for microservices leave at a method (`microservices/constants`), which is read and written here without the
 * package: an application with branches over HTTP has no use for it.
 */
const PATTERN = 'microservices:pattern';
const HANDLER_TYPE = 'microservices:handler_type';
const TRANSPORT = 'microservices:transport';
const EXTRAS = 'microservices:pattern_extras';

/** `PatternHandler.MESSAGE` and `Transport.GRPC`. */
const [MESSAGE, GRPC] = [1, 4];

/** Whether a method is bound to a transport of microservices, as by `@GrpcMethod()`. */
export function isMessageHandler(method: object): boolean {
  return Reflect.hasMetadata(PATTERN, method);
}

/** The same as `@MessagePattern(patterns, Transport.GRPC)`. */
export function bindGrpc(method: object, patterns: readonly object[]): void {
  Reflect.defineMetadata(PATTERN, patterns, method);
  Reflect.defineMetadata(HANDLER_TYPE, MESSAGE, method);
  Reflect.defineMetadata(TRANSPORT, GRPC, method);
  Reflect.defineMetadata(EXTRAS, {}, method);
}
