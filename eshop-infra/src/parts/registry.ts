import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { hostRegistry, registryUrl } from '../install/npm.ts';
import { verdaccioDirectory, verdaccioInstaller } from '../install/verdaccio.ts';
import type { Part } from './part.ts';

const configFile = (context: Context) => join(context.paths.run, 'verdaccio.json');

/** Serves the @eshop packages to npm, as a company's registry would. What else is asked for comes from the host's registry. */
async function config(context: Context): Promise<object> {
  const data = join(context.paths.data, 'registry');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return {
    storage: join(data, 'storage'),
    auth: { htpasswd: { file: join(data, 'htpasswd'), max_users: -1 } },
    uplinks: { host: { url: await hostRegistry() } },
    packages: {
      '@eshop/*': { access: '$all', publish: '$all' },
      '**': { access: '$all', proxy: 'host' },
    },
    max_body_size: '50mb',
    log: { type: 'stdout', format: 'json', level: 'warn' },
    web: { title: 'e-shop packages' },
  };
}

/** The only part that speaks to the world. In the others a system's whole store of certificates would cost 13 MB each. */
function certificates(): Record<string, string> {
  const { NODE_EXTRA_CA_CERTS: file } = process.env;
  return file ? { NODE_EXTRA_CA_CERTS: file } : {};
}

export const registryPart: Part = {
  name: 'registry',
  title: 'Verdaccio 6, the npm registry of the @eshop packages',
  needs: [],
  ports: ['registry'],
  readyMs: 30_000,
  graceMs: 10_000,
  installer: verdaccioInstaller,

  async prepare(context) {
    // JSON is YAML, too
    writeFileSync(configFile(context), JSON.stringify(await config(context), null, 2), { mode: 0o600 });
  },

  command(context) {
    return {
      file: process.execPath,
      args: [
        join(verdaccioDirectory(context), 'node_modules/verdaccio/bin/verdaccio'),
        '--config',
        configFile(context),
        '--listen',
        `127.0.0.1:${context.ports.registry}`,
      ],
      env: { NODE_ENV: 'production', ...certificates() },
    };
  },

  async check(context) {
    const response = await fetch(`${registryUrl(context)}/-/ping`, { signal: AbortSignal.timeout(3_000) });
    if (!response.ok) throw new Error(`the registry answers ${response.status}`);
    await response.arrayBuffer();
  },
};
