import 'reflect-metadata';
import type { Role } from '../transaction/compensable.js';

/** What `@DtmBranches()`, `@DtmBackCheck()` and `@DtmWorkflowCallback()` say about a method. */
export interface BranchMetadata {
  kind: 'branch' | 'back-check' | 'workflow-callback';
  /** Name among the module's barriers; `undefined` the default one; `false` none. */
  barrier: string | false | undefined;
  /** Whether a compensation whose payload is not valid is given up. */
  dropInvalidCompensations?: boolean | undefined;
  /** What the method is for; `undefined` where it is not paired. */
  role?: Role;
}

const KEY = Symbol('DtmBranchMetadata');
const ROLE_KEY = Symbol('DtmRoleMetadata');

/** Marks a controller class or a method. */
export function markBranch(target: object, metadata: BranchMetadata): void {
  Reflect.defineMetadata(KEY, metadata, target);
}

/** Marks a method with what it is for. It is for one thing only. */
export function markRole(handler: object, role: Role, name: string): void {
  const other: Role | undefined = Reflect.getMetadata(ROLE_KEY, handler);
  if (other !== undefined) throw new TypeError(`${name} cannot have the role ${role}: it has the role ${other}`);
  Reflect.defineMetadata(ROLE_KEY, role, handler);
}

/** What a method is for; `undefined` where it is not paired. */
export function roleOf(handler: object): Role | undefined {
  return Reflect.getMetadata(ROLE_KEY, handler);
}

/** The method's own mark, else its class's. */
export function branchMetadata(type: object, handler: object): BranchMetadata | undefined {
  const metadata: BranchMetadata | undefined = Reflect.getMetadata(KEY, handler) ?? Reflect.getMetadata(KEY, type);
  const role = roleOf(handler);
  return metadata && role ? { ...metadata, role } : metadata;
}
