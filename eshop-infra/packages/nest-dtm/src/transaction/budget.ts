/** Pause between two looks at what DTM has stored, milliseconds. */
export const POLL_MS = 100;

/** The time one piece of work may take, all its calls together. */
export class Budget {
  readonly #end: number;

  constructor(ms: number) {
    this.#end = performance.now() + ms;
  }

  /** Milliseconds left, at least 1. */
  left(): number {
    return Math.max(1, Math.ceil(this.#end - performance.now()));
  }

  /** Too little is left for another attempt. */
  get spent(): boolean {
    return this.left() <= POLL_MS;
  }

  /** For a call whose loss must leave time for a query. */
  share(): number {
    const left = this.left();
    return Math.max(1, left - Math.min(1_500, Math.ceil(left * 0.4)));
  }
}

/** The time for a caller who waits for a transaction's end, or only until the server has it. */
export function answerBudget(
  { deadlineMs, waitDeadlineMs }: { deadlineMs: number; waitDeadlineMs: number },
  waitResult: boolean | undefined,
): Budget {
  return new Budget(waitResult ? waitDeadlineMs : deadlineMs);
}

/** Waits between two looks. */
export function pause(ms: number = POLL_MS): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Longest pause of a {@link backOff}, milliseconds. */
const MAX_PAUSE_MS = 1_000;

/** Waits before the next attempt on a server that did not answer: longer each time, never past the budget. */
export async function backOff(attempt: number, budget: Budget): Promise<void> {
  const ms = Math.min(MAX_PAUSE_MS, POLL_MS * 2 ** attempt) * (0.75 + Math.random() / 2);
  await pause(Math.min(ms, Math.max(1, budget.left() - POLL_MS)));
}
