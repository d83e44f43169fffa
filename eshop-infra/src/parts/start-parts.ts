import type { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { makeDirectories } from '../context.ts';
import { assertNeedsRun } from './needs.ts';
import type { Installer, Part } from './part.ts';

/** Runs all works to their end, then throws the first error: nothing is left half done in the background. */
async function allSettled(works: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Runs each installer at most once, and not at all when its result is there. */
function installOnce(context: Context, progress: Progress): (installer: Installer | undefined) => Promise<void> {
  const runs = new Map<Installer, Promise<void>>();
  return async (installer) => {
    if (!installer) return;
    let run = runs.get(installer);
    if (!run) {
      run = (async () => {
        if (await installer.isDone(context)) return;
        await progress.step(installer.title, (step) => installer.run(context, step));
      })();
      runs.set(installer, run);
    }
    await run;
  };
}

/**
 * Starts parts, each as soon as those it needs (among these) are there; parts that run already are checked.
 * @throws NeedsMissing before anything is done, when a part needs another that neither is among these nor runs
 */
export async function startParts(context: Context, parts: readonly Part[], progress: Progress): Promise<void> {
  if (parts.length === 0) return;
  await assertNeedsRun(context, parts);
  makeDirectories(context);
  const { stack } = context;
  await stack.provide(context, parts, progress);
  const install = installOnce(context, progress);
  const started = new Map<string, Promise<void>>();
  const start = (part: Part): Promise<void> => {
    const known = started.get(part.name);
    if (known) return known;
    const needs = parts.filter((other) => part.needs.includes(other.name)).map(start);
    const work = Promise.all([install(stack.installer(part)), ...needs]).then(() =>
      progress.step(part.name, (step) => stack.start(context, part, step)),
    );
    started.set(part.name, work);
    return work;
  };
  await allSettled(parts.map(start));
}

/** Those of the parts that run now. */
export async function partsThatRun(context: Context, parts: readonly Part[]): Promise<Part[]> {
  const found = await Promise.all(parts.map((part) => context.stack.find(context, part)));
  return parts.filter((_, index) => found[index]);
}

/** Stops parts, those that need others first. */
export async function stopParts(
  context: Context,
  parts: readonly Part[],
  progress: Progress,
  signalName?: NodeJS.Signals,
): Promise<void> {
  const stopped = new Map<string, Promise<void>>();
  const stop = (part: Part): Promise<void> => {
    const known = stopped.get(part.name);
    if (known) return known;
    const users = parts.filter((other) => other.needs.includes(part.name)).map(stop);
    const work = Promise.allSettled(users).then(() =>
      progress.step(part.name, async (step) => {
        await context.stack.stop(context, part, step, signalName);
      }),
    );
    stopped.set(part.name, work);
    return work;
  };
  await allSettled(parts.map(stop));
}
