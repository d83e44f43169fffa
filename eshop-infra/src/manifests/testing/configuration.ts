import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Context } from '../../context.ts';
import { serviceRepository } from '../../packages/repositories.ts';
import type { ServiceName } from '../../parts/service-names.ts';

/** `mysql.poolSize` → `MYSQL_POOL_SIZE`, as the services read their environment. */
const variable = (path: readonly string[]) =>
  path.map((key) => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()).join('_');

/** A service's settings with their defaults, by the names of their environment variables. */
export function configurationOf(context: Pick<Context, 'paths'>, name: ServiceName): Map<string, string> {
  const directory = join(serviceRepository(context as Context, name).directory, 'config');
  const [file = ''] = readdirSync(directory).filter((one) => one.endsWith('.yaml'));
  const found = new Map<string, string>();
  const visit = (value: unknown, path: readonly string[]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      found.set(variable(path), String(value));
      return;
    }
    for (const [key, member] of Object.entries(value)) visit(member, [...path, key]);
  };
  const devDefault = { tag: '!dev', resolve: (text: string) => `!dev ${text}` };
  visit(parse(readFileSync(join(directory, file), 'utf8'), { customTags: [devDefault] }), []);
  return found;
}

/** The settings that another place must give: addresses of this machine, and what has only a development default. */
export function placeBound(configuration: ReadonlyMap<string, string>): string[] {
  return [...configuration]
    .filter(([, value]) => value.includes('127.0.0.1') || value.startsWith('!dev'))
    .map(([name]) => name);
}
