import { Logger } from '@nestjs/common';
import type { BranchCall } from './branch.js';

/** Header or metadata of a success that is nobody's reply, since the handler did not run in this call. */
export const NO_REPLY = 'dtm-no-reply';

/** What a call whose handler ran is answered with. */
export function reply(call: BranchCall, value: unknown): unknown {
  if (call.transport === 'grpc') return value ?? {};
  // DTM makes nothing of a reply; a workflow's branches are called by a workflow, which does.
  if (call.transType !== 'workflow') return {};
  const body = value === undefined ? undefined : httpBody(value, call);
  if (body === undefined) return noReply(call);
  call.setHeader('content-type', 'application/json; charset=utf-8');
  return body;
}

/** What a call whose handler did not run is answered with. */
export function noReply(call: BranchCall): object {
  if (call.transType === 'workflow') call.setHeader(NO_REPLY, '1');
  return {};
}

/** DTM's clients look for two words in any body, so they are written another way, which JSON reads as the same. */
function httpBody(value: unknown, { gid, branchId, op }: BranchCall): string | undefined {
  try {
    return JSON.stringify(value)?.replaceAll('FAILURE', '\\u0046AILURE').replaceAll('ONGOING', '\\u004fNGOING');
  } catch (error) {
    new Logger('Dtm').error(`branch ${gid}/${branchId} ${op} took effect, but its reply is no JSON: ${error}`);
    return undefined;
  }
}
