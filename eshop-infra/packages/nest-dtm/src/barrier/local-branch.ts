import type { Branch } from '../branch/branch.js';

/** The identity of a message's local step and of its back-check (`client/dtmcli/trans_msg.go`). */
export function localBranch(gid: string, server = ''): Branch {
  return { transType: 'msg', gid, branchId: '00', op: 'msg', ...(server && { server }) };
}

/** Why a branch that was compensated is refused, where nothing better is known. */
export const UNDONE = 'this branch has been compensated';
