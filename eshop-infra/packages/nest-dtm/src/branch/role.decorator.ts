import { Logger } from '@nestjs/common';
import { type Compensable, type Paired, ROLE, type Role, type TccBranch } from '../transaction/compensable.js';
import { answer } from './answer.js';
import type { Branch, BranchCall } from './branch.js';
import { markRole } from './branch-metadata.js';
import { bindGrpc, isMessageHandler } from './message-handler.js';
import type { BranchOp } from './op.js';

/** What a method in each role is called for: by DTM in a saga, a message or a TCC, by a workflow in the last place. */
const OPS: Readonly<Record<Role, readonly BranchOp[]>> = {
  action: ['action'],
  compensation: ['compensate', 'rollback'],
  try: ['try', 'action'],
  confirm: ['confirm', 'commit'],
  cancel: ['cancel', 'rollback'],
};

/**
 * Makes a method of a `@DtmBranches()` controller the action of a pair: a call that means something else, since somebody has swapped
 * the two, does not run, is repeated by DTM and stands as an error in the log. Over gRPC it binds the method as `@GrpcMethod` does
 * (unless it is bound already), over HTTP the route is Nest's.
 */
export function DtmAction(pair: Pick<Compensable<never>, 'action'>): MethodDecorator {
  return role(pair.action);
}

/** The same for the compensation of a pair. */
export function DtmCompensation(pair: Pick<Compensable<never>, 'compensation'>): MethodDecorator {
  return role(pair.compensation);
}

/** The same for the try of a TCC's branch. */
export function DtmTry(methods: Pick<TccBranch<never>, 'try'>): MethodDecorator {
  return role(methods.try);
}

/** The same for the confirmation of a TCC's branch. */
export function DtmConfirm(methods: Pick<TccBranch<never>, 'confirm'>): MethodDecorator {
  return role(methods.confirm);
}

/** The same for the cancellation of a TCC's branch. */
export function DtmCancel(methods: Pick<TccBranch<never>, 'cancel'>): MethodDecorator {
  return role(methods.cancel);
}

/** Throws the answer to a call whose op is not what the method is for. */
export function assertRole(
  methodRole: Role | undefined,
  { gid, branchId, op }: Branch,
  transport: BranchCall['transport'],
  handler: string,
): void {
  if (methodRole === undefined || OPS[methodRole].includes(op)) return;
  const text = `${handler} has the role ${methodRole} and was called for ${op}: were two methods swapped?`;
  new Logger('Dtm').error(`branch ${gid}/${branchId} ${op} will be called again: ${text}`);
  throw answer(transport, 'retry', text);
}

function role(method: Paired<Role, never>): MethodDecorator {
  return (target, key, descriptor) => {
    const { value } = descriptor;
    if (typeof value !== 'function') throw new TypeError(`the role of ${String(key)}: it is no method`);
    markRole(value, method[ROLE], `${target.constructor.name}.${String(key)}`);
    if ('path' in method && !isMessageHandler(value)) bindGrpc(value, patternsOf(method.path));
  };
}

/** Definitions name a method as its proto file does, or with a small letter in front. */
function patternsOf(path: string): object[] {
  const [, service = '', rpc = ''] = path.split('/');
  const names = [rpc, rpc.charAt(0).toLowerCase() + rpc.slice(1)];
  return names.map((name) => ({ service, rpc: name, streaming: 'no_stream' }));
}
