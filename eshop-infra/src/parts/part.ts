import type { Step } from '../base/progress.ts';
import type { Context } from '../context.ts';
import type { AptPackage } from '../install/apt.ts';
import type { PortName } from '../ports.ts';

/** How a part is started on the native stack: a program that stays in the foreground. */
export interface PartCommand {
  file: string;
  args: readonly string[];
  /** The name the program sees itself called by, when it is not `file`. */
  argv0?: string;
  cwd?: string;
  /** Added to the environment of the command. */
  env?: Record<string, string>;
  /** Changes when the part must be restarted to be up to date, beside the fields above (the hash of its build). */
  build?: string;
}

/** Builds or downloads a program that several parts may share; its result is in the cache. */
export interface Installer {
  /** For the progress: `building DTM 1.18.0`. */
  readonly title: string;
  isDone(context: Context): boolean | Promise<boolean>;
  run(context: Context, step: Step): Promise<void>;
}

/**
 * One server of the system: a service, or something the services need. How it is run on the native stack, `missingPackages` to
 * `command` say; how in a container, compose.yaml says under the same name. That it works is found out in the same way.
 */
export interface Part {
  readonly name: string;
  /** What it is, for `eshop status`. */
  readonly title: string;
  /** Parts that must run before this one can. */
  readonly needs: readonly string[];
  readonly ports: readonly PortName[];
  /** From the start to the first answer, ms. */
  readonly readyMs: number;
  /** From the request to end to the kill, ms. */
  readonly graceMs: number;
  /** Packages of the distribution that are missing here. */
  missingPackages?(context: Context): Promise<AptPackage[]>;
  /** Gets the program; parts that share a program share the installer. */
  readonly installer?: Installer;
  /** Makes the data directory and the configuration. */
  prepare?(context: Context, step: Step): Promise<void>;
  command(context: Context): PartCommand;
  /** Throws until the part does its work: answers a query, has saved a transaction. */
  check(context: Context): Promise<void>;
  /** Like `check`, but leaves no trace; for `eshop status`. Absent = `check`. */
  probe?(context: Context): Promise<void>;
}
