import { DtmInvalidOption, DtmOutcomeUnknown, DtmUnavailable } from '../errors.js';
import type { DtmServer } from '../server/dtm-server.js';
import type { Transaction, TransactionBranch } from '../server/transaction.js';
import { Budget, backOff } from '../transaction/budget.js';
import { checkedJson } from '../transaction/json.js';
import { hopeless } from '../transaction/judge-failure.js';
import { lookUpAfter } from '../transaction/stored.js';

/** DTM's column `bin_data`. */
const MAX_ENTRY_BYTES = 65_535;

/** What a step came to. */
export interface Entry {
  /** Name of the step, to notice code that has changed under way. */
  step: string;
  status: 'succeed' | 'failed';
  /** What it returned, as JSON carries it. */
  value?: unknown;
  /** Why it was refused. */
  reason?: string;
}

/** The workflow has ended meanwhile, by another run of it or by an operator. */
export class EndedElsewhere extends Error {
  constructor(readonly stored: Transaction) {
    super(`the workflow has ended: ${stored.status}`);
    this.name = 'EndedElsewhere';
  }
}

/**
 * What DTM knows of a workflow's steps. Of several runs of one workflow the first to tell what a step came to is right; the
 * others take it from there. Both of DTM's stores refuse a second entry.
 */
export class Progress {
  readonly #entries: Map<string, Entry>;

  constructor(
    private readonly server: DtmServer,
    private readonly gid: string,
    branches: readonly TransactionBranch[],
  ) {
    this.#entries = read(branches);
  }

  /** What is known of a step. */
  find(branchId: string, op: string): Entry | undefined {
    return this.#entries.get(`${branchId} ${op}`);
  }

  /**
   * Tells DTM what a step came to, and returns what holds from now on.
   *
   * @throws {EndedElsewhere}
   * @throws {DtmUnavailable} DTM could not be told
   * @throws {DtmOutcomeUnknown} DTM has lost the workflow
   */
  async record(branchId: string, op: string, entry: Entry): Promise<Entry> {
    const { gid, server } = this;
    const key = `${branchId} ${op}`;
    const payload = encodeEntry(entry);
    // Without `sync` DTM keeps steps in memory for a while, and loses their data.
    const request = {
      gid,
      transType: 'workflow',
      branchId,
      op,
      data: { op, status: entry.status, sync: '1' },
      payload,
    };
    const budget = new Budget(server.deadlineMs);
    for (let attempt = 0; ; attempt++) {
      const failure = await server.registerBranch(request, budget.share());
      if (!failure) {
        this.#entries.set(key, entry);
        return entry;
      }
      const stored = await lookUpAfter(failure, server, gid, budget);
      if (stored === null) throw new DtmOutcomeUnknown('DTM has lost the workflow', { gid, cause: failure.error });
      if (stored) {
        if (stored.status !== 'prepared') throw new EndedElsewhere(stored);
        const known = read(stored.branches).get(key);
        if (known) {
          this.#entries.set(key, known);
          return known;
        }
      }
      const error = stored && hopeless(gid, failure);
      if (error) throw error;
      if (stored === undefined || budget.spent)
        throw new DtmUnavailable(`DTM could not be told of a step: ${failure.text}`, { gid, cause: failure.error });
      await backOff(attempt, budget);
    }
  }
}

/**
 * A step as DTM keeps it.
 *
 * @throws {DtmInvalidOption} JSON cannot carry what it returned, or it is too long for DTM's column
 */
export function encodeEntry({ step, value, reason }: Entry): Buffer {
  const bytes = Buffer.from(JSON.stringify({ step, value: checkedJson(value, `steps.${step}`), reason }));
  if (bytes.length > MAX_ENTRY_BYTES)
    throw new DtmInvalidOption(`steps.${step}`, `returned ${bytes.length} bytes, at most ${MAX_ENTRY_BYTES}`);
  return bytes;
}

function read(branches: readonly TransactionBranch[]): Map<string, Entry> {
  return new Map(branches.map((branch) => [`${branch.branchId} ${branch.op}`, decodeEntry(branch)]));
}

function decodeEntry({ data, status }: TransactionBranch): Entry {
  const { step, value, reason }: Entry = JSON.parse(Buffer.from(data, 'base64').toString());
  return { step, status: status === 'failed' ? 'failed' : 'succeed', value, reason };
}
