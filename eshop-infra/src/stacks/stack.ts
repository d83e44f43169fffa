import type { Progress, Step } from '../base/progress.ts';
import type { Context, RunningProcess } from '../context.ts';
import type { Installer, Part } from '../parts/part.ts';

export const stackNames = ['native', 'docker'] as const;
export type StackName = (typeof stackNames)[number];

/** A program that shows a part's log. */
export interface LogCommand {
  file: string;
  args: readonly string[];
}

/** A way of running the parts of an instance: as processes of this machine, or as containers. */
export interface Stack {
  readonly name: StackName;
  /** Gets what these parts need before the first of them is started: packages of the distribution; images. */
  provide(context: Context, parts: readonly Part[], progress: Progress): Promise<void>;
  /** What must be built or downloaded for the part, once for all that share it. */
  installer(part: Part): Installer | undefined;
  /** Makes the services ready to be started, where something has changed; default: all. */
  build(context: Context, progress: Progress, names?: readonly string[]): Promise<void>;
  /** The part's process, whose id is this machine's, also for a container. */
  find(context: Context, part: Part): Promise<{ pid: number } | undefined>;
  /** Starts a part and waits until it works; a part that already runs as it should is only checked. */
  start(context: Context, part: Part, step: Step): Promise<void>;
  /** Ends a part: asked first, killed after its grace time; or by one given signal. Returns false when it did not run. */
  stop(context: Context, part: Part, step: Step, signal?: NodeJS.Signals): Promise<boolean>;
  /** @throws Error when there is no log */
  log(context: Context, part: Part, options: { lines: string; follow: boolean }): Promise<LogCommand>;
  /** The parts that run now. */
  processes(context: Context): Promise<RunningProcess[]>;
  /** Removes the data of a part that is stopped; says what has been removed. */
  empty(context: Context, part: Part): Promise<string>;
  /** Removes what the stopped instance has outside its state directory. */
  remove(context: Context): Promise<void>;
}
