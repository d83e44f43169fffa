import fc from 'fast-check';
import type { BarrierName } from './chain.js';
import type { Away } from './outage-proxy.js';

/** What a transaction can be. */
export type Kind = 'saga' | 'concurrent saga' | 'message' | 'two-phase message' | 'tcc' | 'workflow';

/** One of the two who submit a gid. */
export interface Submitter {
  /** When, after the transaction begins, milliseconds. */
  after: number;
  fresh: boolean;
  waitResult: boolean;
}

/**
 * A transaction that two processes submit. Without `timeoutToFail` and `retryLimit` of sagas, by which DTM gives up without a refusal:
 * what it then forgets to compensate after an outage of its store no barrier can know; see `store-away.spec.ts`.
 */
export interface Chain {
  kind: Kind;
  barrier: BarrierName;
  transport: 'grpc' | 'http';
  steps: number;
  /** The step that refuses, each time or the first time only. */
  refuses: { step: number; times: 'always' | 'once' } | undefined;
  /** How long the first step takes the first time, milliseconds. */
  slowMs: number;
  /** Of a concurrent saga: its last step waits for the first. */
  ordered: boolean;
  /** When it begins in its round, milliseconds. */
  begins: number;
  submitters: [Submitter, Submitter];
}

/** What befalls DTM in a round: when, and for how long, milliseconds. */
export type Disturbance =
  | { what: 'its store is away'; how: Away; at: number; lasts: number }
  | { what: 'frozen' | 'killed'; at: number; lasts: number };

/** Transactions that run at the same time. */
export interface ChainRound {
  chains: Chain[];
  disturbance: Disturbance | undefined;
}

const submitter = fc.record({ after: fc.integer({ min: 0, max: 10 }), fresh: fc.boolean(), waitResult: fc.boolean() });

const chain: fc.Arbitrary<Chain> = fc.record({
  kind: fc.constantFrom<Kind>(
    'saga',
    'saga',
    'saga',
    'concurrent saga',
    'concurrent saga',
    'message',
    'two-phase message',
    'tcc',
    'workflow',
  ),
  barrier: fc.constantFrom<BarrierName>('mysql', 'redis'),
  transport: fc.constantFrom<'grpc' | 'http'>('grpc', 'http'),
  steps: fc.integer({ min: 2, max: 4 }),
  refuses: fc.option(
    fc.record({ step: fc.integer({ min: 0, max: 3 }), times: fc.constantFrom<'always' | 'once'>('always', 'once') }),
    { nil: undefined, freq: 4 },
  ),
  slowMs: fc.oneof({ arbitrary: fc.constant(0), weight: 19 }, { arbitrary: fc.constantFrom(1_300, 2_300), weight: 1 }),
  ordered: fc.boolean(),
  begins: fc.integer({ min: 0, max: 150 }),
  submitters: fc.tuple(submitter, submitter),
});

const at = fc.integer({ min: 0, max: 150 });

const disturbance: fc.Arbitrary<Disturbance> = fc.oneof(
  {
    arbitrary: fc.record({
      what: fc.constant('its store is away' as const),
      how: fc.constantFrom<Away>('refused', 'hanging'),
      at,
      lasts: fc.integer({ min: 20, max: 1_500 }),
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({ what: fc.constant('killed' as const), at, lasts: fc.integer({ min: 0, max: 500 }) }),
    weight: 2,
  },
  {
    arbitrary: fc.record({ what: fc.constant('frozen' as const), at, lasts: fc.integer({ min: 500, max: 3_500 }) }),
    weight: 1,
  },
);

/** Rounds of so many transactions; something befalls DTM in a third of them. */
export function chainRounds(size: number): fc.Arbitrary<ChainRound> {
  return fc.record({
    chains: fc.array(chain, { minLength: size, maxLength: size }),
    disturbance: fc.oneof({ arbitrary: fc.constant(undefined), weight: 2 }, { arbitrary: disturbance, weight: 1 }),
  });
}
