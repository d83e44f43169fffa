import type { Barrier } from './barrier.js';

/** The module's barriers by name. */
export class Barriers {
  readonly #byName: ReadonlyMap<string, Barrier>;
  readonly #default: Barrier | undefined;

  constructor(option: Barrier | Record<string, Barrier> | undefined) {
    const byName = option === undefined ? {} : isBarrier(option) ? { default: option } : option;
    this.#byName = new Map(Object.entries(byName));
    this.#default =
      this.#byName.get('default') ?? (this.#byName.size === 1 ? [...this.#byName.values()][0] : undefined);
  }

  /** The barrier of this name; without a name `default`, or the only one. */
  get(name?: string): Barrier | undefined {
    return name === undefined ? this.#default : this.#byName.get(name);
  }

  /** For an error message. */
  get names(): string {
    return [...this.#byName.keys()].map((name) => `"${name}"`).join(', ') || 'none';
  }
}

function isBarrier(option: Barrier | Record<string, Barrier>): option is Barrier {
  return typeof option.call === 'function';
}
