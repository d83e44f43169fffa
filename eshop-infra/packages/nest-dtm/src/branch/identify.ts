import { isGid, MAX_GID_LENGTH } from '../gid.js';
import { answer } from './answer.js';
import type { Branch, BranchCall } from './branch.js';
import { isOpOf } from './op.js';
import { SERVER_HEADER } from './signed-call.js';

const MAX_BRANCH_ID_LENGTH = 128;

/** The identity a barrier can hold; anything longer would be cut by MySQL and taken for another transaction. */
export function identify(call: BranchCall): Branch {
  const { transport, transType, gid, branchId, op } = call;
  assertCarriedGid(transport, gid);
  if (branchId.length > MAX_BRANCH_ID_LENGTH) throw answer(transport, 'refused', 'the branch id is too long');
  // A refusal would be taken for the answer that the local step was not done, and the message dropped.
  if (transType === 'msg' && op === 'msg') throw answer(transport, 'retry', 'this method is a branch, no back-check');
  if (!isOpOf(transType, op))
    throw answer(transport, 'refused', `no such branch: type ${transType.slice(0, 20)}, op ${op.slice(0, 20)}`);
  const server = call.header(SERVER_HEADER);
  return { transType, gid, branchId, op, ...(server && { server }) };
}

/** Throws the answer to a call whose gid cannot be kept unchanged. */
export function assertCarriedGid(transport: BranchCall['transport'], gid: string): void {
  if (!isGid(gid))
    throw answer(transport, 'refused', `a gid has at most ${MAX_GID_LENGTH} printable ASCII characters without ";"`);
}
