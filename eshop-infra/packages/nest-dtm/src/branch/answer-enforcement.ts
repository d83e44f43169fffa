import { Injectable, UseFilters, UseInterceptors } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { branchMetadata } from './branch-metadata.js';
import { ForeignErrorFilter } from './foreign-error.filter.js';
import { enforceGrpcAnswers } from './grpc-answer.js';
import { HandlerWitness } from './handler-witness.js';

const ENFORCED = Symbol('DtmAnswersEnforced');

/**
 * Sees to it that what leaves a branch is the library's answer. Done when it is built: Nest makes routes and registers gRPC
 * handlers after that.
 */
@Injectable()
export class AnswerEnforcement {
  constructor(discovery: DiscoveryService, scanner: MetadataScanner) {
    enforceGrpcAnswers();
    for (const { metatype } of discovery.getControllers()) {
      if (!metatype) continue;
      const prototype: Record<string, unknown> = metatype.prototype;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name];
        if (typeof handler === 'function' && branchMetadata(metatype, handler)) surround(prototype, name, handler);
      }
    }
  }
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
