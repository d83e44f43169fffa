import { type Context, commandLine } from '../context.ts';
import { allParts, possibleParts } from './all.ts';
import type { Part } from './part.ts';

/** Parts that others need do not run. */
export class NeedsMissing extends Error {
  constructor(context: Context, users: readonly string[], missing: readonly string[]) {
    const need = users.length > 1 ? 'need' : 'needs';
    super(`${listed(users)} ${need} ${listed(missing)}, which ${doNotRun(missing)} (${howToStart(context, missing)})`);
    this.name = 'NeedsMissing';
  }
}

/** `mysql, redis and kafka` */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** The verb for so many names. */
export function doNotRun({ length }: readonly string[]): string {
  return length > 1 ? 'do not run' : 'does not run';
}

/** `start it: eshop start mysql` */
export function howToStart(context: Context, names: readonly string[]): string {
  return `start ${names.length > 1 ? 'them' : 'it'}: ${commandLine(context, `start ${names.join(' ')}`)}`;
}

/** The names of what a part needs, and of what that needs; of the parts that the instance has. */
function needsOf({ needs }: Part, all: readonly Part[], found = new Set<string>()): Set<string> {
  for (const part of all) {
    if (!needs.includes(part.name) || found.has(part.name)) continue;
    found.add(part.name);
    needsOf(part, all, found);
  }
  return found;
}

/** The parts, and before each what it needs. */
export function withNeeds(context: Context, parts: readonly Part[]): Part[] {
  const all = possibleParts(context);
  const names = new Set(parts.flatMap((part) => [part.name, ...needsOf(part, allParts(context))]));
  return all.filter(({ name }) => names.has(name));
}

/** Those of the parts that do not run now. */
export async function partsThatDoNotRun(context: Context, parts: readonly Part[]): Promise<string[]> {
  const found = await Promise.all(parts.map((part) => context.stack.find(context, part)));
  return parts.filter((_, index) => !found[index]).map(({ name }) => name);
}

/**
 * Nothing is started, nor waited for, while what it needs neither runs nor is among the parts themselves: it could not become ready.
 * @throws NeedsMissing that names what is missing and the command that starts it
 */
export async function assertNeedsRun(context: Context, parts: readonly Part[]): Promise<void> {
  const all = allParts(context);
  const needs = new Map(parts.map((part) => [part.name, needsOf(part, all)]));
  const others = all.filter(({ name }) => !needs.has(name) && [...needs.values()].some((names) => names.has(name)));
  const missing = await partsThatDoNotRun(context, others);
  if (missing.length === 0) return;
  const users = [...needs].filter(([, names]) => missing.some((name) => names.has(name))).map(([name]) => name);
  throw new NeedsMissing(context, users, missing);
}
