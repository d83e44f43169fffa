import { styleText } from 'node:util';

/** One line of progress with its time. */
export interface Step {
  /** Says what the step does right now, shown beside its name. */
  note(text: string): void;
  /** What the finished line says after the name; e.g. `already running`. */
  result(text: string): void;
  /** Like `result`, for a step that came to its end and found something wrong. */
  failed(text: string): void;
}

interface Running {
  name: string;
  note: string;
  began: number;
  told: number;
}

const seconds = (ms: number) => (ms < 9_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);

/** Where the lines go: `process.stdout`, or what a test collects them with. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** On a pipe: a line for steps that take long, each so many ms. */
const TELL_EVERY_MS = 10_000;

/**
 * Shows steps that may run at the same time: on a terminal the running ones stay at the bottom with their seconds,
 * elsewhere each step is a plain line when it is done and now and then one while it lasts.
 */
export class Progress {
  private readonly out: Output;
  private readonly live: boolean;
  private readonly running = new Set<Running>();
  private drawn = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(out: Output = process.stdout) {
    this.out = out;
    this.live = out.isTTY === true && process.env.TERM !== 'dumb' && process.env.CI === undefined;
  }

  /** A line of text; multi-line texts are fine. */
  say(text = ''): void {
    this.erase();
    this.out.write(`${text}\n`);
    this.draw();
  }

  title(text: string): void {
    this.say(this.paint('bold', text));
  }

  /** Runs one piece of work as a line of its own. */
  async step<T>(name: string, work: (step: Step) => Promise<T>): Promise<T> {
    const entry: Running = { name, note: '', began: Date.now(), told: Date.now() };
    let result = '';
    let failed = false;
    this.running.add(entry);
    this.tick();
    try {
      const value = await work({
        note: (text) => {
          entry.note = text;
        },
        result: (text) => {
          result = text;
        },
        failed: (text) => {
          result = text;
          failed = true;
        },
      });
      this.finish(entry, failed ? this.paint('red', '✗') : this.paint('green', '✓'), result);
      return value;
    } catch (error) {
      this.finish(entry, this.paint('red', '✗'), result);
      throw error;
    }
  }

  paint(style: Parameters<typeof styleText>[0], text: string): string {
    return this.live ? styleText(style, text) : text;
  }

  private finish(entry: Running, mark: string, result: string): void {
    this.running.delete(entry);
    const time = this.paint('dim', seconds(Date.now() - entry.began));
    this.say(`${mark} ${entry.name}${result ? ` ${result}` : ''} ${time}`);
    if (this.running.size === 0 && this.timer) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  private tick(): void {
    if (this.timer) return;
    this.timer = setInterval(
      () => {
        if (this.live) {
          this.erase();
          this.draw();
          return;
        }
        const now = Date.now();
        for (const entry of this.running) {
          if (now - entry.told < TELL_EVERY_MS) continue;
          entry.told = now;
          this.out.write(`  … ${entry.name}${entry.note ? `: ${entry.note}` : ''} ${seconds(now - entry.began)}\n`);
        }
      },
      this.live ? 200 : 1_000,
    );
    this.timer.unref();
  }

  private draw(): void {
    if (!this.live) return;
    const width = this.out.columns ?? 80;
    for (const entry of this.running) {
      const text = `… ${entry.name}${entry.note ? `: ${entry.note}` : ''} ${seconds(Date.now() - entry.began)}`;
      this.out.write(`${text.slice(0, width - 1)}\n`);
    }
    this.drawn = this.running.size;
  }

  private erase(): void {
    if (!this.live || this.drawn === 0) return;
    this.out.write(`\x1b[${this.drawn}A\x1b[J`);
    this.drawn = 0;
  }
}
