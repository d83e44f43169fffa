import { type Submission, submit } from '../transaction/submit.js';
import { abortedBefore, type MessageResult } from './message-result.js';

/** Submits a plain message. */
export async function submitMessage(submission: Submission): Promise<MessageResult> {
  const { gid, status, reason } = await submit(submission);
  if (status === 'aborting' || status === 'failed') throw abortedBefore(reason);
  return { gid, status };
}
