import { ContractError } from '@eshop/proto';

/** Replies up to this size never wait, bytes: what they hold is bounded by how many requests are under way. */
export const LARGE_REPLY = 65_536;

/** How much may be under way, and how long one waits: the section `replies`. */
export interface LargeReplyLimits {
  readonly bytesAtOnce: number;
  readonly waitMs: number;
}

interface Waiter {
  readonly bytes: number;
  admit(): void;
}

/**
 * Bounds the memory that large replies of a process hold, from before their data are read until they are sent: they take turns,
 * first come first served. Without it a few clients that ask for the largest pages at a time would end the process.
 */
export class LargeReplies {
  private free: number;
  private readonly waiting = new Set<Waiter>();

  constructor(private readonly limits: LargeReplyLimits) {
    this.free = limits.bytesAtOnce;
  }

  /** What one request holds of it. */
  share(): ReplyShare {
    return new ReplyShare(this);
  }

  /**
   * Resolves with the bytes taken when it is their turn; one that is larger than all that may be under way goes alone.
   * Throws TOO_MANY_REQUESTS when that takes too long, UNAVAILABLE when the one who waits is gone.
   */
  take(wanted: number, gone: AbortSignal): Promise<number> {
    const bytes = Math.min(wanted, this.limits.bytesAtOnce);
    if (!this.mustWait(wanted)) {
      this.free -= bytes;
      return Promise.resolve(bytes);
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        gone.removeEventListener('abort', abandon);
        this.waiting.delete(waiter);
      };
      const waiter: Waiter = {
        bytes,
        admit: () => {
          leave();
          this.free -= bytes;
          resolve(bytes);
        },
      };
      const refuse = (error: ContractError) => {
        leave();
        reject(error);
        // It may have been the first in line, and the next one smaller.
        this.admit();
      };
      const abandon = () => refuse(new ContractError('UNAVAILABLE', 'nobody waits for the answer any more'));
      const timer = setTimeout(() => {
        refuse(new ContractError('TOO_MANY_REQUESTS', 'too many large replies at a time; come back, or ask for less'));
      }, this.limits.waitMs);
      gone.addEventListener('abort', abandon);
      this.waiting.add(waiter);
      if (gone.aborted) abandon();
    });
  }

  /** Whether so many bytes cannot be taken at once. */
  mustWait(wanted: number): boolean {
    return this.waiting.size > 0 || Math.min(wanted, this.limits.bytesAtOnce) > this.free;
  }

  give(bytes: number): void {
    this.free += bytes;
    this.admit();
  }

  private admit(): void {
    for (const next of this.waiting) {
      if (next.bytes > this.free) return;
      next.admit();
    }
  }
}

/** What one request holds of {@link LargeReplies}, until it is answered. */
export class ReplyShare {
  readonly #replies: LargeReplies;
  /** Made for those who wait: most requests never do. */
  #gone: AbortController | undefined;
  #abandoned = false;
  #held = 0;
  #ended = false;

  constructor(replies: LargeReplies) {
    this.#replies = replies;
  }

  /** Whether it holds anything. */
  get holds(): boolean {
    return this.#held > 0;
  }

  /**
   * Waits until the reply may take so many bytes. The function that it gives corrects them once their number is known.
   * Where `most` is a guess, `measure` looks more closely before the reply is made to wait.
   * Throws as {@link LargeReplies.take}.
   */
  async reserve(most: number, measure?: () => Promise<number>): Promise<(actual: number) => void> {
    const waits = measure && most > LARGE_REPLY && this.#replies.mustWait(most);
    const bytes = waits ? await measure() : most;
    if (bytes <= LARGE_REPLY) return () => undefined;
    this.#gone ??= new AbortController();
    if (this.#abandoned) this.#gone.abort();
    const taken = await this.#replies.take(bytes, this.#gone.signal);
    this.#held += taken;
    if (this.#ended) this.end();
    return (actual) => {
      const surplus = taken - (actual <= LARGE_REPLY ? 0 : Math.min(actual, taken));
      if (this.#ended || surplus === 0) return;
      this.#held -= surplus;
      this.#replies.give(surplus);
    };
  }

  /** The client went away: what still waits for its turn need not be made. */
  abandon(): void {
    this.#abandoned = true;
    this.#gone?.abort();
  }

  /** The reply is sent, or never will be; gives back what is held. */
  end(): void {
    this.#ended = true;
    const held = this.#held;
    this.#held = 0;
    if (held > 0) this.#replies.give(held);
  }
}
