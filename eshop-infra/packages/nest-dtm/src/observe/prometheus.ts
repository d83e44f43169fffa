import { Counter, Histogram, type Registry, register } from 'prom-client';
import { type DtmObserver, statusOf } from './observer.js';

/** Settings of the metrics. */
export interface PrometheusOptions {
  /** Where the metrics are kept. Default: prom-client's own register. */
  registry?: Registry;
  /** What their names begin with. Default `dtm_`. */
  prefix?: string;
}

/** Upper bounds, seconds. The last one before DTM gives up on a branch call is 3. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10];

/**
 * Counts and times submits and branch calls:
 *
 * - `dtm_submits_total{type,server,outcome}`: outcome is the status, or the name of the error
 * - `dtm_submit_duration_seconds{type,server}`
 * - `dtm_branch_calls_total{handler,op,outcome}`: outcome `repeat` and `null-compensation` are the barrier's work
 * - `dtm_branch_duration_seconds{handler,op}`
 */
export function prometheusObserver({ registry = register, prefix = 'dtm_' }: PrometheusOptions = {}): DtmObserver {
  const registers = [registry];
  const submits = new Counter({
    name: `${prefix}submits_total`,
    help: 'Transactions submitted to DTM, by what the submitter was told',
    labelNames: ['type', 'server', 'outcome'],
    registers,
  });
  const submitSeconds = new Histogram({
    name: `${prefix}submit_duration_seconds`,
    help: 'Time until a submitter was answered',
    labelNames: ['type', 'server'],
    buckets: BUCKETS,
    registers,
  });
  const branches = new Counter({
    name: `${prefix}branch_calls_total`,
    help: 'Branch calls, by what they came to',
    labelNames: ['handler', 'op', 'outcome'],
    registers,
  });
  const branchSeconds = new Histogram({
    name: `${prefix}branch_duration_seconds`,
    help: 'Time a branch call took',
    labelNames: ['handler', 'op'],
    buckets: BUCKETS,
    registers,
  });
  return {
    submit: async ({ transType: type, server }, run) => {
      const stop = submitSeconds.startTimer({ type, server });
      try {
        const result = await run();
        submits.inc({ type, server, outcome: statusOf(result) });
        return result;
      } catch (error) {
        submits.inc({ type, server, outcome: error instanceof Error ? error.name : 'unknown' });
        throw error;
      } finally {
        stop();
      }
    },
    branch: async ({ handler, op }, run) => {
      const stop = branchSeconds.startTimer({ handler, op });
      const verdict = await run();
      stop();
      branches.inc({ handler, op, outcome: verdict.outcome });
      return verdict;
    },
  };
}
