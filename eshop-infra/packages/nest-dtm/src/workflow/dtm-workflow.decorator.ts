import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import type { Workflow } from './workflow.js';

/** What a class with `@DtmWorkflow()` does. */
export interface WorkflowHandler<Input, Output> {
  /**
   * The workflow. It may run many times for one gid, also at the same time in several processes: steps that are done give their
   * results again and do not run. So whatever it does lies in steps, and which steps come, in which order and with what, depends
   * on nothing but the input and the results of steps.
   *
   * Throw a `Refusal` (or anything that means one, see `classify`) to have all steps taken back. Any other error leaves the
   * workflow as it is, and DTM resumes it later.
   */
  run(workflow: Workflow, input: Input): Promise<Output>;
}

/** Settings of a workflow. */
export interface DtmWorkflowOptions {
  /** Name among the module's barriers, for local steps. Default `default`, or the only one. */
  barrier?: string;
}

/** What `@DtmWorkflow()` says about a class. */
export interface WorkflowMetadata extends DtmWorkflowOptions {
  name: string;
}

const KEY = Symbol('DtmWorkflowMetadata');

/**
 * Makes a provider a workflow. Found at start; begun with `DtmService.workflow`.
 *
 * @param name by which DTM asks for it when it is to be resumed: 1 to 45 of `A-Z a-z 0-9 _ . -`. Transactions under way know it.
 */
export function DtmWorkflow(
  name: string,
  options: DtmWorkflowOptions = {},
): (target: new (...dependencies: never[]) => WorkflowHandler<never, unknown>) => void {
  return (target) => {
    Reflect.defineMetadata(KEY, { name, ...options } satisfies WorkflowMetadata, target);
    Injectable()(target);
  };
}

/** The class's own mark. */
export function workflowMetadata(type: object): WorkflowMetadata | undefined {
  return Reflect.getOwnMetadata(KEY, type);
}
