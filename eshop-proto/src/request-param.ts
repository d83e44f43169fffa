import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { MethodContract } from './contract.js';
import { grpcRequestChecker } from './grpc-request.js';
import { type HttpRequestParts, httpRequestParser } from './http-request.js';

interface RequestReaders {
  readonly http: (request: HttpRequestParts) => object;
  readonly grpc: (request: object) => object;
}

/** The parameter that holds the request message, read and validated once, whatever transport it came by. */
const RequestMessage = createParamDecorator((readers: RequestReaders, context: ExecutionContext): object =>
  context.getType() === 'http'
    ? readers.http(context.switchToHttp().getRequest<HttpRequestParts>())
    : readers.grpc(context.switchToRpc().getData<object>()),
);

/** The parameter decorator for a method's request. */
export function requestParam(method: MethodContract): ParameterDecorator {
  return RequestMessage({
    http: httpRequestParser(method.request, method.http),
    grpc: grpcRequestChecker(method.request),
  } satisfies RequestReaders);
}
