import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Barriers } from '../barrier/barriers.js';
import { DtmInvalidOption } from '../errors.js';
import { DTM_BARRIERS } from '../tokens.js';
import { branchMetadata, roleOf } from './branch-metadata.js';

/** Looks at every branch and back-check of the application at start: one that could not work must not wait for its first call. */
@Injectable()
export class BranchExplorer implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    @Inject(DTM_BARRIERS) private readonly barriers: Barriers,
  ) {}

  onModuleInit(): void {
    for (const { metatype } of this.discovery.getControllers()) {
      if (!metatype) continue;
      const prototype: Record<string, unknown> = metatype.prototype;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name];
        if (typeof handler === 'function') this.#check(metatype, handler, `${metatype.name}.${name}`);
      }
    }
  }

  #check(type: object, handler: object, name: string): void {
    const metadata = branchMetadata(type, handler);
    if (roleOf(handler) && metadata?.kind !== 'branch')
      throw new DtmInvalidOption(
        'role',
        `${name} has the role ${roleOf(handler)}, but its class has no @DtmBranches()`,
      );
    if (!metadata || metadata.barrier === false) return;
    const barrier = this.barriers.get(metadata.barrier);
    const wanted = metadata.barrier === undefined ? 'a default barrier' : `a barrier "${metadata.barrier}"`;
    if (!barrier) throw new DtmInvalidOption('barrier', `${name} needs ${wanted}; there is ${this.barriers.names}`);
    if (metadata.kind === 'back-check' && !barrier.backCheck)
      throw new DtmInvalidOption('barrier', `${name} is a back-check, and its barrier cannot answer one`);
  }
}
