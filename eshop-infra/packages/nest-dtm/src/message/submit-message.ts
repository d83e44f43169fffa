import { DtmAborted } from '../errors.js';
import { type Submission, submit } from '../transaction/submit.js';
import type { MessageResult } from './message-result.js';

/** Submits a plain message. */
export async function submitMessage(submission: Submission): Promise<MessageResult> {
  const { gid, status, reason } = await submit(submission);
  if (status === 'aborting' || status === 'failed') throw new DtmAborted(reason ?? '', { gid });
  return { gid, status };
}
