import { type FactoryProvider, UseFilters, UseInterceptors } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { branchMetadata } from './branch-metadata.js';
import { ForeignErrorFilter } from './foreign-error.filter.js';
import { enforceGrpcAnswers } from './grpc-answer.js';
import { HandlerWitness } from './handler-witness.js';
import { isMessageHandler } from './message-handler.js';
import { loadRpcException } from './rpc-exception.js';

const ENFORCED = Symbol('DtmAnswersEnforced');

/**
 * Sees to it that what leaves a branch is the library's answer. Done when it is built: Nest makes routes and registers gRPC
 * handlers after that. What gRPC needs is loaded only where a method of the application is bound to it.
 */
export const answerEnforcement: FactoryProvider<true> = {
  provide: Symbol('DtmAnswerEnforcement'),
  inject: [DiscoveryService, MetadataScanner],
  useFactory: async (discovery: DiscoveryService, scanner: MetadataScanner): Promise<true> => {
    const methods = discovery.getControllers().flatMap(({ metatype }) => methodsOf(metatype, scanner));
    if (methods.some(({ handler }) => isMessageHandler(handler))) {
      await loadRpcException();
      enforceGrpcAnswers();
    }
    for (const { type, prototype, name, handler } of methods)
      if (branchMetadata(type, handler)) surround(prototype, name, handler);
    return true;
  },
};

interface ControllerMethod {
  type: object;
  prototype: object;
  name: string;
  handler: object;
}

function methodsOf(type: { prototype?: unknown } | null, scanner: MetadataScanner): ControllerMethod[] {
  if (!type) return [];
  const prototype = type.prototype as Record<string, unknown>;
  return scanner.getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    return typeof handler === 'function' ? [{ type, prototype, name, handler }] : [];
  });
}

/**
 * The last filter of a method is the first one Nest asks: an error of a global guard comes before anything of ours has run. The
 * last interceptor is the innermost one.
 */
function surround(prototype: object, name: string, handler: object): void {
  if (ENFORCED in handler) return;
  Object.defineProperty(handler, ENFORCED, { value: true });
  UseFilters(ForeignErrorFilter)(prototype, name, { value: handler });
  UseInterceptors(new HandlerWitness())(prototype, name, { value: handler });
}
