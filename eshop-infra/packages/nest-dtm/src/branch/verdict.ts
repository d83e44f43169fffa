import { describe } from './answer.js';
import { type Classify, classify } from './classify.js';
import { type BranchOp, isRefusable, undoneBy } from './op.js';

/**
 * What a branch call came to. `done`: the handler ran and took effect. `repeat`, `null-compensation`: the barrier kept it from
 * running. `refused`: the transaction rolls back. `undone`: the branch has been compensated or refused before; DTM is told of a
 * refusal. `ongoing`, `retry`: DTM calls again. `dropped`: a compensation whose payload is not valid and that may be given up; DTM is
 * told of a success.
 */
export type BranchOutcome =
  | 'done'
  | 'repeat'
  | 'null-compensation'
  | 'refused'
  | 'undone'
  | 'ongoing'
  | 'retry'
  | 'dropped';

/** The outcome of a branch call, with the error behind it. */
export interface BranchVerdict {
  /** What it came to. */
  outcome: BranchOutcome;
  /** What was thrown, where something was. */
  error?: unknown;
  /** Words for DTM and for the log; empty when all is well. */
  text: string;
  /** A refusal that DTM does not hear: somebody must look after it. */
  unheard?: boolean;
}

/**
 * What an error of a branch means to DTM, which knows a refusal of some ops only.
 *
 * @param mayDrop whether a compensation is given up when its payload is not valid
 */
export function verdictOf(
  error: unknown,
  transType: string,
  op: BranchOp,
  own?: Classify,
  mayDrop = false,
): BranchVerdict {
  const meaning = classify(error, own);
  const text = describe(error);
  if (meaning === 'ongoing' || meaning === 'retry') return { outcome: meaning, error, text };
  if (isRefusable(transType, op)) return { outcome: 'refused', error, text };
  if (meaning === 'invalid' && mayDrop && undoneBy(op)) return { outcome: 'dropped', error, text };
  // DTM repeats it for ever like after any other error; the word would only mislead.
  return { outcome: 'retry', error, text: `a ${op} of a ${transType} cannot be refused: ${text}`, unheard: true };
}
