import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { databaseUser } from '../../parts/database-users.ts';
import { servicesWithDatabase } from '../../parts/service-names.ts';
import { type PortName, portVariable } from '../../ports.ts';

/** The images of the services of one instance; another instance may be of another checkout. */
export const imagePrefix = ({ project }: Context) => `${project}/`;

/** The variables of .env.example, for this instance. */
function composeSettings(context: Context): Record<string, string> {
  const { ports, secrets } = context;
  const settings: Record<string, string> = {
    MYSQL_ROOT_PASSWORD: secrets.mysqlRoot,
    DTM_SECRET: secrets.dtm,
    ESHOP_IMAGE_PREFIX: imagePrefix(context),
    ESHOP_SOURCES: context.paths.root,
    ESHOP_NPMRC: join(context.paths.run, 'npmrc'),
    ESHOP_BUILD_NETWORK: 'host',
    ESHOP_LOG_LEVEL: process.env.ESHOP_LOG_LEVEL ?? 'info',
    ESHOP_KAFKA_PARTITIONS: process.env.ESHOP_KAFKA_PARTITIONS ?? '8',
  };
  for (const user of ['dtm', ...servicesWithDatabase]) {
    settings[`MYSQL_${user.toUpperCase()}_PASSWORD`] = databaseUser(context, user).password;
  }
  for (const [name, port] of Object.entries(ports)) settings[portVariable(name as PortName)] = String(port);
  return settings;
}

/** Writes the settings where compose reads them; also for `docker compose` by hand. Returns the file's name. */
export function writeComposeSettings(context: Context): string {
  const file = join(context.paths.run, 'compose.env');
  const lines = Object.entries(composeSettings(context)).map(([name, value]) => `${name}=${value}\n`);
  mkdirSync(context.paths.run, { recursive: true, mode: 0o700 });
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  return file;
}
