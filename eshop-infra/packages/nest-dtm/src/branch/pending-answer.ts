import type { AnswerKind } from './answer.js';

/** What the library answers to a call of a branch, whatever stands around the branch's controller. */
export type Decision =
  | { readonly kind: 'success'; readonly value: unknown }
  | { readonly kind: AnswerKind; readonly text: string };

/** Of a call that the application answered by itself: nobody knows what became of the branch, so DTM is to come again. */
const UNDECIDED: Decision = { kind: 'retry', text: 'to be called again: answered before the branch was carried out' };

/**
 * Longest wait of the library's decision for the application's answer, and the other way round, milliseconds. DTM gives a call 3 s;
 * an application that swallows an answer must not make a refusal into a call that DTM repeats for ever.
 */
const WAIT_MS = 1_000;

/**
 * The answer to one call of a branch. It leaves when both are there: the library's decision, which counts, and what the
 * application's filters and interceptors have made of it, which only may say it in other words.
 */
export class PendingAnswer {
  #decision: Decision | undefined;
  #begun = false;
  #offered = false;
  #sent = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param send called once; `offered`: the application has answered, too */
  constructor(private readonly send: (decision: Decision, offered: boolean) => void) {}

  /** The library's answer so far. */
  get decision(): Decision | undefined {
    return this.#decision;
  }

  /** The branch is carried out, or was: it may take effect. */
  get begun(): boolean {
    return this.#begun;
  }

  /** The branch is carried out from now on. An application that repeats it gets the answer of the last time. */
  begin(): void {
    this.#begun = true;
    this.#decision = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** What the call is to be answered. */
  decide(decision: Decision): void {
    this.#decision = decision;
    this.#settle();
  }

  /** The application has answered. */
  offer(): void {
    this.#offered = true;
    this.#settle();
  }

  #settle(): void {
    if (this.#sent) return;
    if (this.#offered && (this.#decision || !this.#begun)) this.#end();
    else this.#timer ??= setTimeout(() => this.#end(), WAIT_MS).unref();
  }

  #end(): void {
    this.#sent = true;
    clearTimeout(this.#timer);
    this.send(this.#decision ?? UNDECIDED, this.#offered);
  }
}
