import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createContext } from '../create-context.ts';
import { serviceNames } from '../parts/service-names.ts';
import { configurationOf, placeBound } from './testing/configuration.ts';

interface Part {
  image?: string;
  environment?: Record<string, string | number>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: unknown[] };
  networks?: string[];
  network_mode?: string;
  ports?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  build?: { context: string; secrets?: string[] };
  volumes?: string[];
}
interface Compose {
  services: Record<string, Part>;
  networks?: Record<string, { internal?: boolean } | null>;
}

const context = createContext();
const { root, infra } = context.paths;
const read = (file: string) => parse(readFileSync(file, 'utf8'), { merge: true }) as Compose;
const core = read(join(infra, 'compose.yaml'));
const layers = ['compose.yaml', 'compose.build.yaml', 'compose.tests.yaml', 'compose.observability.yaml'];
const files = [
  ...layers.map((file) => join(infra, file)),
  ...serviceNames.map((name) => join(root, `eshop-${name}`, 'compose.yaml')),
];

describe.each(files)('%s', (file) => {
  const { services } = read(file);

  it('publishes on this machine only', () => {
    const ports = Object.values(services).flatMap((part) => part.ports ?? []);
    expect(ports.filter((port) => !/^127\.0\.0\.1:(\$\{ESHOP_PORT_\w+:-\d+\}):\d+$/.test(port))).toEqual([]);
  });

  it('names images by a version, and files of its own repository', () => {
    for (const { image, volumes } of Object.values(services)) {
      if (image) expect(image).toMatch(/:(\$\{ESHOP_VERSION:-)?v?[0-9][\w.]*\}?$/);
      for (const volume of volumes ?? []) expect(volume).not.toMatch(/^(\/|~|.*\.\.)/);
    }
  });
});

describe('the system in containers', () => {
  it('has the eight services and all they stand on', () => {
    const servers = ['mysql', 'redis', 'kafka', 'kafka-topics', 'dtm-mysql', 'dtm-redis', 'registry'];
    expect(Object.keys(core.services).sort()).toEqual([...servers, ...serviceNames].sort());
  });

  it('keeps the servers in a network without a way in or out', () => {
    expect(core.networks?.backend?.internal).toBe(true);
    for (const name of ['mysql', 'redis', 'kafka', 'dtm-mysql', 'dtm-redis']) {
      expect(core.services[name]?.networks).toEqual(['backend']);
      expect(core.services[name]?.ports).toBeUndefined();
    }
  });

  it('starts nothing before what it needs works', () => {
    for (const [name, { depends_on = {}, healthcheck }] of Object.entries(core.services)) {
      if (name !== 'kafka-topics') expect(healthcheck?.test.length).toBeGreaterThan(1);
      const conditions = Object.values(depends_on).map(({ condition }) => condition);
      expect(conditions.filter((one) => !/^service_(healthy|completed_successfully)$/.test(one))).toEqual([]);
    }
    expect(Object.keys(core.services.order?.depends_on ?? {}).sort()).toEqual(['dtm-mysql', 'kafka-topics', 'mysql']);
  });

  it('has one settings file that names every secret', () => {
    const example = readFileSync(join(infra, '.env.example'), 'utf8');
    const wanted = layers.flatMap((file) => [
      ...readFileSync(join(infra, file), 'utf8').matchAll(/\$\{(\w+)(:\?\}|:-)/g),
    ]);
    for (const [, name = ''] of wanted) {
      if (!/^ESHOP_(PORT_|BUILD_NETWORK|PACKAGES)/.test(name)) expect(example).toContain(`${name}=`);
    }
  });

  it.each(serviceNames)('%s runs without rights, and can be built', (name) => {
    const build = read(join(infra, 'compose.build.yaml')).services[name]?.build;
    expect(core.services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(build?.secrets).toEqual(['npmrc']);
    expect(build?.context).toMatch(new RegExp(`^\\$\\{ESHOP_SOURCES:\\?.*\\}/eshop-${name}$`));
  });
});

/** Where a service listens is no address of another; not every configuration file repeats whether to make the database. */
const own = /^((HTTP|GRPC)_(HOST|PORT)|MYSQL_CREATE_DATABASE)$/;

describe.each(serviceNames)('the settings of %s', (name) => {
  const configuration = configurationOf(context, name);
  const given = (variables: readonly string[]) =>
    new Set(variables.map((variable) => variable.replace(/_FILE$/, '')).filter((variable) => !own.test(variable)));

  function agrees(variables: readonly string[]): void {
    const names = given(variables);
    expect([...names].filter((variable) => !configuration.has(variable))).toEqual([]);
    expect(placeBound(configuration).filter((variable) => !own.test(variable) && !names.has(variable))).toEqual([]);
  }

  it('in containers are such as the service has, and name every address and secret', () => {
    agrees(Object.keys(core.services[name]?.environment ?? {}));
  });

  it('on Kubernetes are such as the service has, and name every address and secret', () => {
    const directory = join(root, `eshop-${name}`, 'deploy/kubernetes');
    const settings = readFileSync(join(directory, 'settings.env'), 'utf8').split('\n');
    const plain = settings.filter((line) => /^\w+=/.test(line)).map((line) => line.split('=')[0] ?? '');
    const files = [...readFileSync(join(directory, 'deployment.yaml'), 'utf8').matchAll(/name: (\w+_FILE)$/gm)];
    agrees([...plain, ...files.map(([, file = '']) => file)]);
  });
});
