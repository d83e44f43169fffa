import { randomUUID } from 'node:crypto';
import { DtmProtocolError } from '../errors.js';
import { queryPath } from '../server/query-path.js';
import { parseTransaction } from '../server/transaction.js';
import { callApi } from './dtm-api.js';

/** `on`: a branch's progress is stored before the next step begins. `off`: later, in batches, and lost when DTM is killed. */
export type BranchSync = 'on' | 'off';

/** Steps without an address: DTM calls nothing and takes them for done. */
const STEPS = [1, 2, 3].map(() => ({ action: '', compensate: '' }));

/**
 * Finds out by a saga of three empty steps whether a DTM server stores branch progress at once. DTM answers the submit when all
 * steps are done; with `UPDATE_BRANCH_SYNC=0` their progress is collected for up to 180 ms, so the store does not have it yet.
 * No setting of the server can be read: `/api/metrics` does not show it.
 *
 * @param http address of the server's HTTP listener
 * @param attempts sagas to run before `on` is believed; one may end just when a batch is written
 */
export async function probeBranchSync(http: string, attempts: number, deadlineMs: number): Promise<BranchSync> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const gid = `nest-dtm-probe-${randomUUID()}`;
    const saga = { gid, trans_type: 'saga', steps: STEPS, payloads: STEPS.map(() => ''), wait_result: true };
    const { status, body } = await callApi(http, '/api/dtmsvr/submit', deadlineMs, saga);
    if (status !== 200)
      throw new DtmProtocolError(`DTM answered a probe with ${status}: ${body.slice(0, 200)}`, { gid });
    const stored = parseTransaction((await callApi(http, queryPath(gid), deadlineMs)).body);
    const actions = stored?.branches.filter(({ op }) => op === 'action') ?? [];
    if (actions.length !== STEPS.length) throw new DtmProtocolError('DTM did not keep a probe', { gid });
    if (actions.some(({ status }) => status !== 'succeed')) return 'off';
  }
  return 'on';
}
