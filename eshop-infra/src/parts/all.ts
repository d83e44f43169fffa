import type { Context } from '../context.ts';
import { serviceRepositories } from '../packages/repositories.ts';
import { MAX_REPLICAS } from '../ports.ts';
import { balancerPart } from './balancer.ts';
import { dtmMysqlPart, dtmRedisPart } from './dtm.ts';
import { kafkaPart } from './kafka.ts';
import { mysqlPart } from './mysql.ts';
import type { Part } from './part.ts';
import { redisPart } from './redis.ts';
import { registryPart } from './registry.ts';
import { servicePart } from './service.ts';

/** What the services need, in the order in which it is shown. */
export const stackParts: readonly Part[] = [mysqlPart, redisPart, kafkaPart, dtmMysqlPart, dtmRedisPart, registryPart];

/** The services that are in this checkout, so many processes of each, and the balancer where they are several. */
function withReplicas(context: Context, replicas: number): Part[] {
  const numbers = Array.from({ length: replicas }, (_, index) => index + 1);
  const services = serviceRepositories(context).flatMap(({ name }) =>
    numbers.map((replica) => servicePart(name, replica)),
  );
  return replicas > 1 ? [balancerPart, ...services] : services;
}

/** The shop itself, which stands on the stack. */
export function shopParts(context: Context): Part[] {
  return withReplicas(context, context.replicas);
}

/** What the instance is to consist of. */
export function allParts(context: Context): Part[] {
  return [...stackParts, ...shopParts(context)];
}

/** Also what it would consist of with more replicas, where the stack can have them. */
export function possibleParts(context: Context): Part[] {
  return [...stackParts, ...withReplicas(context, context.stack.name === 'native' ? MAX_REPLICAS : context.replicas)];
}

/** @throws Error that lists the names when one is unknown */
export function partsNamed(context: Context, names: readonly string[]): Part[] {
  const possible = possibleParts(context);
  return names.map((name) => {
    const part = possible.find((one) => one.name === name);
    if (part) return part;
    const usual = allParts(context).map((one) => one.name);
    throw new Error(`there is no part "${name}"; the parts are: ${usual.join(', ')}`);
  });
}
