import type { Manifest } from './read-manifests.ts';

type Validate = ((data: unknown) => boolean) & {
  errors?: { instancePath: string; message?: string; keyword: string }[];
};

/** Where the schemas of Kubernetes' API are in the package kubernetes-models, by kind. */
const modules: Readonly<Record<string, string>> = {
  'v1/Namespace': 'CoreV1Namespace',
  'v1/ConfigMap': 'CoreV1ConfigMap',
  'v1/Service': 'CoreV1Service',
  'apps/v1/Deployment': 'AppsV1Deployment',
  'batch/v1/Job': 'BatchV1Job',
  'autoscaling/v2/HorizontalPodAutoscaler': 'AutoscalingV2HorizontalPodAutoscaler',
  'policy/v1/PodDisruptionBudget': 'PolicyV1PodDisruptionBudget',
  'networking.k8s.io/v1/NetworkPolicy': 'NetworkingV1NetworkPolicy',
  'networking.k8s.io/v1/Ingress': 'NetworkingV1Ingress',
};

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * A copy that notes which members are read. A validator reads every member that its schema knows, and no other: what was
 * not read is not known, which the schemas themselves do not forbid.
 */
function watched(value: unknown, path: string, read: Set<string>): unknown {
  if (!isContainer(value)) return value;
  return new Proxy(value, {
    get(target, key, receiver) {
      const member = Reflect.get(target, key, receiver) as unknown;
      if (typeof key === 'symbol' || !Object.hasOwn(target, key)) return member;
      read.add(`${path}/${key}`);
      return watched(member, `${path}/${key}`, read);
    },
  });
}

function* membersOf(value: unknown, path: string): Generator<string> {
  if (!isContainer(value)) return;
  for (const [key, member] of Object.entries(value)) {
    yield `${path}/${key}`;
    yield* membersOf(member, `${path}/${key}`);
  }
}

/** What is wrong with a manifest by the schema of its kind, unknown members included; empty when nothing is. */
export async function schemaErrors(manifest: Manifest): Promise<string[]> {
  const kind = `${manifest.apiVersion}/${manifest.kind}`;
  const module = modules[kind];
  if (!module) return [`${kind} is no kind that these manifests use`];
  const { validate } = (await import(`kubernetes-models/_schemas/IoK8sApi${module}`)) as { validate: Validate };
  const read = new Set<string>();
  validate(watched(manifest, '', read));
  const wrong = (validate.errors ?? []).map(
    ({ instancePath, message, keyword }) => `${instancePath} ${message ?? keyword}`,
  );
  const unknown = [...membersOf(manifest, '')].filter((path) => !read.has(path));
  return [...wrong, ...unknown.map((path) => `${path} is unknown`)];
}
