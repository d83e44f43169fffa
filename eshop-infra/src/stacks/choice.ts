import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, makeDirectories, type Paths } from '../context.ts';
import { reasonAgainstDocker } from './docker/engine.ts';
import { type StackName, stackNames } from './stack.ts';

const file = (paths: Paths) => join(paths.state, 'stack');

/** The stack that an instance was begun with; undefined while it has none. */
export function recordedStack(paths: Paths): StackName | undefined {
  try {
    return stackNamed(readFileSync(file(paths), 'utf8').trim());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return existsSync(paths.data) ? 'native' : undefined;
}

/** @throws Error that lists the names when it is none of them */
export function stackNamed(text: string): StackName {
  const found = stackNames.find((name) => name === text);
  if (!found) throw new Error(`there is no stack "${text}"; there are: ${stackNames.join(', ')}`);
  return found;
}

/** Begins an instance with a stack. Its data lie in one stack, so it keeps it until `eshop reset`. */
export function recordStack(context: Context, name: StackName): void {
  const present = recordedStack(context.paths);
  if (present && present !== name) {
    throw new Error(
      `the instance "${context.instance}" is of the ${present} stack and has its data there; ` +
        'remove it with "eshop reset", or choose another one with --instance',
    );
  }
  makeDirectories(context);
  writeFileSync(file(context.paths), `${name}\n`);
}

/**
 * The stack for `eshop up` where none was asked for: the instance's own; for a new instance ESHOP_STACK, else containers when an
 * engine answers and all images can be had, else processes. The reason is for people.
 */
export async function chooseStack(context: Context): Promise<{ name: StackName; reason: string }> {
  const present = recordedStack(context.paths);
  if (present) return { name: present, reason: 'as this instance was begun' };
  const wanted = process.env.ESHOP_STACK;
  if (wanted) return { name: stackNamed(wanted), reason: 'ESHOP_STACK' };
  const against = await reasonAgainstDocker(context);
  return against
    ? { name: 'native', reason: against }
    : { name: 'docker', reason: 'an engine answers, with all images' };
}
