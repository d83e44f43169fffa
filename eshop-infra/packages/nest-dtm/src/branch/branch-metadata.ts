import 'reflect-metadata';

/** What `@DtmBranches()`, `@DtmBackCheck()` and `@DtmWorkflowCallback()` say about a method. */
export interface BranchMetadata {
  kind: 'branch' | 'back-check' | 'workflow-callback';
  /** Name among the module's barriers; `undefined` the default one; `false` none. */
  barrier: string | false | undefined;
  /** Whether a compensation whose payload is not valid is given up. */
  dropInvalidCompensations?: boolean | undefined;
}

const KEY = Symbol('DtmBranchMetadata');

/** Marks a controller class or a method. */
export function markBranch(target: object, metadata: BranchMetadata): void {
  Reflect.defineMetadata(KEY, metadata, target);
}

/** The method's own mark, else its class's. */
export function branchMetadata(type: object, handler: object): BranchMetadata | undefined {
  return Reflect.getMetadata(KEY, handler) ?? Reflect.getMetadata(KEY, type);
}
