import { createHash } from 'node:crypto';

/** A text Redis runs, and the digest it is called by. */
export interface Script {
  readonly text: string;
  readonly digest: string;
}

/** More different texts than this come from values pasted into Lua; remembering them would only fill the memory. */
const MAX_KNOWN = 1_000;

/** The script of a text, ready to run. */
export function scriptOf(text: string): Script {
  return { text, digest: createHash('sha1').update(text).digest('hex') };
}

/** Scripts that are built from a caller's text: each once, not on every call. */
export class ScriptCache {
  readonly #scripts = new Map<string, Script>();

  constructor(private readonly build: (text: string) => string) {}

  get(text: string): Script {
    let script = this.#scripts.get(text);
    if (script === undefined) {
      script = scriptOf(this.build(text));
      if (this.#scripts.size >= MAX_KNOWN) this.#scripts.clear();
      this.#scripts.set(text, script);
    }
    return script;
  }
}
