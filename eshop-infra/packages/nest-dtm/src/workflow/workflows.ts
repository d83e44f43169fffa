import { Inject, Injectable, Logger, type OnModuleInit, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Barriers } from '../barrier/barriers.js';
import { branchMetadata } from '../branch/branch-metadata.js';
import { DtmInvalidOption } from '../errors.js';
import { DTM_BARRIERS } from '../tokens.js';
import { type WorkflowHandler, type WorkflowMetadata, workflowMetadata } from './dtm-workflow.decorator.js';

/** A workflow of this application. */
export interface RegisteredWorkflow extends WorkflowMetadata {
  type: object;
  handler: WorkflowHandler<unknown, unknown>;
}

/** The application's workflows, found at start. */
@Injectable()
export class Workflows implements OnModuleInit {
  readonly #logger = new Logger('Dtm');
  readonly #byName = new Map<string, RegisteredWorkflow>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    @Inject(DTM_BARRIERS) private readonly barriers: Barriers,
  ) {}

  onModuleInit(): void {
    for (const { metatype, instance } of this.discovery.getProviders()) {
      const metadata = metatype && workflowMetadata(metatype);
      if (metadata) this.#register({ ...metadata, type: metatype, handler: instance });
    }
    if (this.#byName.size > 0 && !this.#hasCallback())
      this.#logger.warn('no method has @DtmWorkflowCallback(): DTM cannot resume workflows in this application');
  }

  /** The workflow that this class is. */
  of<Input, Output>(type: Type<WorkflowHandler<Input, Output>>): RegisteredWorkflow {
    const workflow = this.find(workflowMetadata(type)?.name ?? '');
    if (workflow?.type !== type)
      throw new DtmInvalidOption('workflow', `${type.name} is no provider with @DtmWorkflow() of this application`);
    return workflow;
  }

  /** The workflow of this name. */
  find(name: string): RegisteredWorkflow | undefined {
    return this.#byName.get(name);
  }

  #register(workflow: RegisteredWorkflow): void {
    const { name, barrier, type } = workflow;
    if (!/^[\w.-]{1,45}$/.test(name))
      throw new DtmInvalidOption('workflow', `a name must be 1 to 45 of A-Z a-z 0-9 _ . -, is "${name}"`);
    if ((this.#byName.get(name)?.type ?? type) !== type)
      throw new DtmInvalidOption('workflow', `two classes have the name "${name}"`);
    if (barrier !== undefined && !this.barriers.get(barrier)?.step)
      throw new DtmInvalidOption('barrier', `"${name}" needs a barrier "${barrier}" that can do local steps`);
    this.#byName.set(name, workflow);
  }

  #hasCallback(): boolean {
    return this.discovery.getControllers().some(({ metatype }) => {
      const prototype: Record<string, unknown> = metatype?.prototype ?? {};
      return this.scanner.getAllMethodNames(prototype).some((name) => {
        const method = prototype[name];
        return typeof method === 'function' && branchMetadata(Object, method)?.kind === 'workflow-callback';
      });
    });
  }
}
