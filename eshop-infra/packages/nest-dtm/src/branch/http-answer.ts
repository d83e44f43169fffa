import { type OutgoingHttpHeader, type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http';
import { ANSWERS } from './answer.js';
import { type Decision, PendingAnswer } from './pending-answer.js';
import { answerText } from './sendable-text.js';

/** A larger body is not kept: it is no answer to DTM, which reads words in it. */
const MAX_BODY = 65_536;

/** Headers about a body's length, which Node sets itself for a body that is written in one piece. */
const OF_LENGTH = ['content-length', 'transfer-encoding', 'trailer'];

/** Headers about a body that is replaced. */
const OF_BODY = ['content-encoding', 'content-range', 'etag', 'last-modified'];

type HeadArguments = [status: number, reason?: unknown, headers?: unknown];
type Done = (error?: Error | null) => void;

/**
 * Holds back what the application writes to a response, and lets it pass at its end if it tells DTM what was decided; else
 * the library's own answer is written. Either goes to the response as Node made it, past middleware that has put something around
 * its methods before: compression is nothing to DTM, and what changes the status there would have the last word.
 */
export function holdHttpAnswer(response: ServerResponse, overruled: (offered: string) => void): PendingAnswer {
  const { writeHead, end, flushHeaders }: ServerResponse = Object.getPrototypeOf(response);
  const body = new HeldBody();
  const done: Done[] = [];
  const ended = (): void => {
    for (const one of done) one();
  };
  const finish = (...args: readonly unknown[]): void => {
    // Node itself calls writeHead when the body ends.
    Object.assign(response, { writeHead, flushHeaders });
    Reflect.apply(end, response, args);
    // What still comes of an application that was too late has nowhere to go.
    Object.assign(response, { write: () => true, end: () => response });
  };
  const pending = new PendingAnswer((decision, offered) => {
    const status = statusOf(decision);
    const reply = replyOf(decision);
    if (offered && response.statusCode === status && body.saysNothingElse(response, reply)) {
      removeHeaders(response, OF_LENGTH);
      finish(body.bytes(), ended);
      return;
    }
    // An application that wraps every reply is nothing to tell of.
    if (offered && (reply === undefined || response.statusCode !== status)) overruled(`${response.statusCode}`);
    // Too late for another status: DTM takes a broken connection for "call again".
    if (response.headersSent) {
      response.destroy();
      return;
    }
    removeHeaders(response, [...OF_LENGTH, ...OF_BODY]);
    response.statusCode = status;
    response.statusMessage = STATUS_CODES[status] ?? '';
    response.setHeader('content-type', 'application/json; charset=utf-8');
    finish(bodyOf(decision), ended);
  });
  Object.assign(response, {
    writeHead: (...head: HeadArguments) => {
      body.begin();
      keepHead(response, head);
      return response;
    },
    flushHeaders: () => undefined,
    write: (...args: unknown[]) => {
      const callback = body.keep(args);
      if (callback) process.nextTick(callback);
      return true;
    },
    end: (...args: unknown[]) => {
      const callback = body.keep(args);
      if (callback) done.push(callback);
      body.end();
      pending.offer();
      return response;
    },
  });
  return pending;
}

/** What an application has written. */
class HeldBody {
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #ended = false;
  #answers = 1;

  /** What comes after the end is another answer, of an application that takes the first for not given while it is held back. */
  begin(): void {
    if (this.#ended) this.#answers++;
  }

  end(): void {
    this.#ended = true;
  }

  /** Keeps a chunk as `write` and `end` take it; returns their callback. */
  keep(args: readonly unknown[]): Done | undefined {
    this.begin();
    const [chunk, encoding] = args;
    if (typeof chunk === 'string')
      this.#add(Buffer.from(chunk, Buffer.isEncoding(String(encoding)) ? (encoding as BufferEncoding) : 'utf8'));
    else if (chunk instanceof Uint8Array) this.#add(Buffer.from(chunk));
    return args.find((arg): arg is Done => typeof arg === 'function');
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /**
   * Whether DTM, which looks for words in a body before it looks at the status, finds none.
   *
   * @param reply what a workflow is to read there
   */
  saysNothingElse(response: ServerResponse, reply: string | undefined): boolean {
    const encoding = String(response.getHeader('content-encoding') ?? 'identity');
    if (this.#answers > 1 || this.#size > MAX_BODY || encoding !== 'identity') return false;
    const text = this.bytes().toString();
    if (reply !== undefined && text !== reply) return false;
    return !text.includes('FAILURE') && !text.includes('ONGOING');
  }

  #add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size <= MAX_BODY) this.#chunks.push(chunk);
  }
}

function statusOf(decision: Decision): number {
  return decision.kind === 'success' ? 200 : ANSWERS[decision.kind].httpStatus;
}

/** The reply that a workflow gets from its branch: a text, and not for the application to wrap. */
function replyOf(decision: Decision): string | undefined {
  return decision.kind === 'success' && typeof decision.value === 'string' ? decision.value : undefined;
}

/** In the form of Nest's own exceptions. But for a workflow a success has nothing to say: DTM would read words in it. */
function bodyOf(decision: Decision): string {
  if (decision.kind === 'success') return replyOf(decision) ?? '{}';
  return JSON.stringify({ statusCode: statusOf(decision), message: answerText(decision.text) });
}

function removeHeaders(response: ServerResponse, names: readonly string[]): void {
  if (!response.headersSent) for (const name of names) response.removeHeader(name);
}

/** What `writeHead(status, [reason], [headers])` says, as fields of the response that can still be changed. */
function keepHead(response: ServerResponse, [status, reason, headers]: HeadArguments): void {
  if (response.headersSent) return;
  response.statusCode = status;
  if (typeof reason === 'string') response.statusMessage = reason;
  const given = typeof reason === 'string' ? headers : (reason ?? headers);
  if (Array.isArray(given)) keepList(response, given);
  else if (typeof given === 'object' && given !== null) {
    for (const [name, value] of Object.entries(given as OutgoingHttpHeaders))
      if (value !== undefined) response.setHeader(name, value);
  }
}

/** Node takes headers as a flat list, and as a list of pairs, too; a name may stand there twice. */
function keepList(response: ServerResponse, list: readonly unknown[]): void {
  const pairs = list.every(Array.isArray)
    ? (list as [string, OutgoingHttpHeader][])
    : Array.from(
        { length: Math.floor(list.length / 2) },
        (_, index) => [list[2 * index], list[2 * index + 1]] as [string, OutgoingHttpHeader],
      );
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) response.appendHeader(name, Array.isArray(value) ? value : String(value));
}
