import type { Context } from '../context.ts';
import { serviceRepositories } from '../packages/repositories.ts';
import { dtmMysqlPart, dtmRedisPart } from './dtm.ts';
import { kafkaPart } from './kafka.ts';
import { mysqlPart } from './mysql.ts';
import type { Part } from './part.ts';
import { redisPart } from './redis.ts';
import { registryPart } from './registry.ts';
import { servicePart } from './service.ts';

/** What the services need, in the order in which it is shown. */
export const stackParts: readonly Part[] = [mysqlPart, redisPart, kafkaPart, dtmMysqlPart, dtmRedisPart, registryPart];

/** The services that are in this checkout. */
export function serviceParts(context: Context): Part[] {
  return serviceRepositories(context).map(({ name }) => servicePart(name));
}

export function allParts(context: Context): Part[] {
  return [...stackParts, ...serviceParts(context)];
}

/** @throws Error that lists the names when one is unknown */
export function partsNamed(context: Context, names: readonly string[]): Part[] {
  const all = allParts(context);
  return names.map((name) => {
    const part = all.find((one) => one.name === name);
    if (!part) throw new Error(`there is no part "${name}"; the parts are: ${all.map((one) => one.name).join(', ')}`);
    return part;
  });
}
