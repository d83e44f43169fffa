import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext } from '../create-context.ts';
import { startScript } from '../packages/repositories.ts';
import { serviceNames, servicesWithDatabase } from '../parts/service-names.ts';
import { collectManifests } from './collect.ts';
import { render } from './render.ts';
import {
  type Deployment,
  type Ingress,
  type Manifest,
  type NetworkPolicy,
  readManifests,
  type Scaler,
  type Service,
} from './testing/read-manifests.ts';
import { schemaErrors } from './testing/schema-check.ts';

const context = createContext();
const directory = mkdtempSync(join(tmpdir(), 'eshop-manifests-'));
let manifests: Manifest[];

beforeAll(async () => {
  collectManifests(context, join(directory, 'all'), { images: 'registry.example/shop/', tag: '1.2.3' });
  manifests = readManifests(await render(context, join(directory, 'all')));
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true }));

const all = <T extends Manifest>(kind: string) => manifests.filter((one) => one.kind === kind) as T[];
function named<T extends Manifest>(kind: string, name: string): T {
  const found = all<T>(kind).find((one) => one.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
const podsOf = (name: string) => ({ 'app.kubernetes.io/name': name });
const appOf = (labels: Record<string, string> | undefined) => labels?.['app.kubernetes.io/name'];

/** The settings a deployment's container gets from its ConfigMap and as plain variables. */
function settingsOf(deployment: Deployment): Record<string, string> {
  const [container] = deployment.spec.template.spec.containers;
  const maps = (container.envFrom ?? []).map((from) => named('ConfigMap', from.configMapRef?.name ?? '').data ?? {});
  const plain = (container.env ?? []).map(({ name, value }) => [name, value ?? ''] as const);
  return Object.assign({}, ...maps, Object.fromEntries(plain)) as Record<string, string>;
}

describe('the manifests of the system', () => {
  it('follow the schemas of Kubernetes, without a member that these do not know', async () => {
    const wrong: string[] = [];
    for (const manifest of manifests) {
      const errors = await schemaErrors(manifest);
      wrong.push(...errors.map((error) => `${manifest.kind} ${manifest.metadata.name}: ${error}`));
    }
    expect(wrong).toEqual([]);
  });

  it('are checked strictly: a slip of the pen is found', async () => {
    const service = structuredClone(named<Service>('Service', 'order'));
    Object.assign(service.spec, { clusterIp: 'None', ports: [{ name: 'grpc', port: 'many' }] });
    const errors = await schemaErrors(service);
    expect(errors.join('\n')).toContain('/spec/clusterIp is unknown');
    expect(errors.join('\n')).toContain('/spec/ports/0/port');
  });

  it('have one name each, all in the one namespace', () => {
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    const outside = manifests.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'eshop');
    expect(outside).toEqual([]);
  });

  it('hold no secret', () => {
    expect(all('Secret')).toEqual([]);
    const settings = all('ConfigMap').flatMap(({ data }) => Object.keys(data ?? {}));
    expect(settings.filter((name) => /PASSWORD|SECRET|TOKEN/.test(name))).toEqual([]);
  });

  it('take the images from where the command is told', () => {
    for (const name of serviceNames) {
      const [container] = named<Deployment>('Deployment', name).spec.template.spec.containers;
      expect(container.image).toBe(`registry.example/shop/${name}:1.2.3`);
    }
  });

  it('name no image without a version', () => {
    const images = all<Deployment>('Deployment').map(({ spec }) => spec.template.spec.containers[0].image);
    expect(images.filter((image) => !/:[\w.-]+$/.test(image) || image.endsWith(':latest'))).toEqual([]);
  });
});

describe.each([...serviceNames, 'dtm-mysql', 'dtm-redis'])('the pods of %s', (name) => {
  const deployment = () => named<Deployment>('Deployment', name);
  const pod = () => deployment().spec.template.spec;
  const container = () => pod().containers[0];

  it('run without rights, on a file system that cannot be written', () => {
    expect(pod().securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod().securityContext.runAsUser).toBeGreaterThan(0);
    expect(container().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod().automountServiceAccountToken).toBe(false);
  });

  it('get no variables made of the names of services, such as MYSQL_PORT', () => {
    expect(pod().enableServiceLinks).toBe(false);
  });

  it('say what they need, and have a limit of memory', () => {
    expect(Object.keys(container().resources.requests).sort()).toEqual(['cpu', 'memory']);
    expect(container().resources.limits.memory).toBeDefined();
  });

  it('are probed: alive apart from ready', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container();
    expect(startupProbe).toBeDefined();
    expect(livenessProbe?.httpGet.path).not.toBe(readinessProbe?.httpGet.path);
    const ports = container().ports?.map((port) => port.name);
    expect(ports).toContain(readinessProbe?.httpGet.port);
  });

  it('are spread over machines and zones, and replaced without a gap', () => {
    const keys = pod().topologySpreadConstraints.map(({ topologyKey }) => topologyKey);
    expect(keys).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
    expect(deployment().spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
  });

  it('are found by what selects them', () => {
    expect(deployment().spec.selector.matchLabels).toEqual(podsOf(name));
    expect(deployment().spec.template.metadata.labels).toMatchObject(podsOf(name));
    expect(named<Service>('Service', name).spec.selector).toEqual(podsOf(name));
    expect(named<NetworkPolicy>('NetworkPolicy', name).spec.podSelector.matchLabels).toEqual(podsOf(name));
  });

  it('are not all taken away at once', () => {
    const { spec } = named<Manifest & { spec: { maxUnavailable: number; selector: unknown } }>(
      'PodDisruptionBudget',
      name,
    );
    expect(spec).toEqual({ maxUnavailable: 1, selector: { matchLabels: podsOf(name) } });
  });
});

describe.each(serviceNames)('the service %s', (name) => {
  const deployment = () => named<Deployment>('Deployment', name);
  const pod = () => deployment().spec.template.spec;

  it('is scaled from two pods up by its load, not by a number in the manifest', () => {
    const scaler = named<Scaler>('HorizontalPodAutoscaler', name);
    expect(scaler.spec.scaleTargetRef.name).toBe(name);
    expect(scaler.spec.minReplicas).toBeGreaterThanOrEqual(2);
    expect(scaler.spec.maxReplicas).toBeGreaterThan(scaler.spec.minReplicas);
    expect(scaler.spec.metrics.map(({ resource }) => resource.name)).toContain('cpu');
    expect(deployment().spec.replicas).toBeUndefined();
  });

  it('is given longer to end than it takes to drain', () => {
    const { SHUTDOWN_DELAY_MS, SHUTDOWN_DRAIN_MS } = settingsOf(deployment());
    const drained = (Number(SHUTDOWN_DELAY_MS) + Number(SHUTDOWN_DRAIN_MS)) / 1000;
    expect(pod().terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drained + 5);
  });

  it('has time for its migrations before it is taken for dead', () => {
    const { startupProbe } = pod().containers[0];
    expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBeGreaterThan(120);
  });

  it('makes tables, not databases: those are of whoever manages the server', () => {
    const { MYSQL_HOST, MYSQL_CREATE_DATABASE } = settingsOf(deployment());
    expect(MYSQL_CREATE_DATABASE).toBe(MYSQL_HOST && 'false');
  });

  it('reads its secrets from files that Secrets give', () => {
    const settings = settingsOf(deployment());
    const secrets = (pod().volumes ?? []).map(({ secret }) => secret?.secretName).filter(Boolean);
    expect(settings.MYSQL_PASSWORD_FILE === undefined).toBe(!servicesWithDatabase.includes(name));
    if (settings.MYSQL_PASSWORD_FILE) expect(secrets).toContain(`${name}-mysql`);
    if (settings.DTM_SECRET_FILE) expect(secrets).toContain('eshop-dtm');
  });

  it('is headless for gRPC, so that its clients balance', () => {
    const { clusterIP, ports } = named<Service>('Service', name).spec;
    if (name === 'gw') expect(clusterIP).toBeUndefined();
    else {
      expect(clusterIP).toBe('None');
      expect(ports?.map((port) => port.name)).toContain('grpc');
    }
  });

  it('has the flags of its start script in its image, and starts without a shell', () => {
    const repository = join(context.paths.root, `eshop-${name}`);
    const dockerfile = readFileSync(join(repository, 'Dockerfile'), 'utf8');
    const command = /^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]';
    const { nodeArguments } = startScript({ name, directory: repository });
    expect(JSON.parse(command)).toEqual(['node', ...nodeArguments]);
    expect(dockerfile).toMatch(/^USER \d+:\d+$/m);
    expect(dockerfile).toContain('HEALTHCHECK');
    expect(dockerfile).not.toMatch(/^# *syntax=/m);
  });
});

/** `dns:///order:30282`, `http://dtm-mysql:36789`, `order-branches:30282` → name and port. */
function target(address: string): { host: string; port: number } {
  const [, host = '', port = ''] = /([\w-]+):(\d+)$/.exec(address) ?? [];
  return { host, port: Number(port) };
}

describe('who may call whom', () => {
  const mayLeave = (app: string, to: string, port: number) =>
    (named<NetworkPolicy>('NetworkPolicy', app).spec.egress ?? []).some(
      (rule) =>
        rule.ports?.some((one) => one.port === port) &&
        (rule.to === undefined || rule.to.some((peer) => appOf(peer.podSelector?.matchLabels) === to)),
    );
  const mayEnter = (app: string, from: string, port: number) =>
    (named<NetworkPolicy>('NetworkPolicy', app).spec.ingress ?? []).some(
      (rule) =>
        rule.ports?.some((one) => one.port === port) &&
        (rule.from === undefined || rule.from.some((peer) => appOf(peer.podSelector?.matchLabels) === from)),
    );

  it('is nobody, unless a policy says so', () => {
    expect(named<NetworkPolicy>('NetworkPolicy', 'default-deny').spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
  });

  it('agrees with the addresses in the settings, on both sides', () => {
    const refused: string[] = [];
    const used = new Set<string>();
    for (const name of serviceNames) {
      for (const [setting, address] of Object.entries(settingsOf(named<Deployment>('Deployment', name)))) {
        const isBranch = setting.startsWith('BRANCHES_');
        if (!isBranch && !/_ADDRESS$|^DTM_(GRPC|HTTP)$/.test(setting)) continue;
        const { host, port } = target(address);
        const service = named<Service>('Service', host);
        const app = appOf(service.spec.selector) ?? host;
        if (!service.spec.ports?.some((one) => one.port === port)) refused.push(`${setting} of ${name}: no such port`);
        // a branch is called by the DTM server that its saga was given to
        const from = isBranch ? target(settingsOf(named<Deployment>('Deployment', name)).DTM_GRPC ?? '').host : name;
        used.add(`${from} ${app} ${port}`);
        if (!mayLeave(from, app, port)) refused.push(`${from} may not call ${app}:${port} (${setting} of ${name})`);
        if (!mayEnter(app, from, port))
          refused.push(`${app}:${port} lets nobody in from ${from} (${setting} of ${name})`);
      }
    }
    expect(refused).toEqual([]);
    expect(used.size).toBeGreaterThan(15);
  });

  it('leaves only the gateway open, and of it the API', () => {
    const open = all<NetworkPolicy>('NetworkPolicy').filter(({ spec }) =>
      spec.ingress?.some((rule) => rule.from === undefined),
    );
    expect(open.map(({ metadata }) => metadata.name)).toEqual(['gw']);
    const paths = all<Ingress>('Ingress').flatMap(({ spec }) =>
      spec.rules.flatMap(({ http }) => http.paths.map(({ path }) => path)),
    );
    expect(paths).toEqual(['/api/', '/apis/']);
  });

  it('reaches the servers that are managed elsewhere by one address each', () => {
    const outside = all<Service>('Service').filter(({ spec }) => spec.externalName !== undefined);
    expect(outside.map(({ metadata }) => metadata.name).sort()).toEqual(['kafka', 'mysql', 'redis']);
    const hosts = [...serviceNames, 'dtm-mysql', 'dtm-redis'].flatMap((name) => {
      const settings = settingsOf(named<Deployment>('Deployment', name));
      const { MYSQL_HOST, STORE_HOST, REDIS_URL, KAFKA_BROKERS } = settings;
      const brokers = (KAFKA_BROKERS ?? '').split(',');
      return [
        MYSQL_HOST,
        STORE_HOST,
        REDIS_URL && new URL(REDIS_URL).hostname,
        ...brokers.map((one) => one.split(':')[0]),
      ];
    });
    expect([...new Set(hosts.filter(Boolean))].sort()).toEqual(['kafka', 'mysql', 'redis']);
  });

  it('lets strangers in through the ingress only, over TLS, to the gateway', () => {
    const [ingress, ...others] = all<Ingress>('Ingress');
    expect(others).toEqual([]);
    expect(ingress?.spec.tls.flatMap(({ hosts }) => hosts)).toEqual(ingress?.spec.rules.map(({ host }) => host));
    const backends = ingress?.spec.rules.flatMap(({ http }) => http.paths.map(({ backend }) => backend.service.name));
    expect(new Set(backends)).toEqual(new Set(['gw']));
  });
});

describe('DTM', () => {
  it.each(['dtm-mysql', 'dtm-redis'])('%s saves each branch at once, and keeps its settings out of the log', (name) => {
    expect(settingsOf(named<Deployment>('Deployment', name))).toMatchObject({
      UPDATE_BRANCH_SYNC: '1',
      LOG_LEVEL: 'warn',
    });
    expect(named<Deployment>('Deployment', name).spec.replicas).toBeGreaterThanOrEqual(2);
  });

  it('has the same tables on Kubernetes and in containers as in the native stack', () => {
    const own = readFileSync(join(context.paths.infra, 'stack/sql/dtm.sql'), 'utf8');
    expect(readFileSync(join(context.paths.infra, 'deploy/kubernetes/dtm/dtm.sql'), 'utf8')).toBe(own);
  });
});

describe('collecting', () => {
  it('can be repeated, and touches no directory that holds something else', () => {
    const other = mkdtempSync(join(directory, 'other-'));
    collectManifests(context, other);
    expect(() => collectManifests(context, other)).not.toThrow();
    writeFileSync(join(other, 'mine.txt'), '');
    expect(() => collectManifests(context, other)).toThrow('mine.txt');
  });
});
