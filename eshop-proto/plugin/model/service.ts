import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { commentOf, splitSummary } from './comment.ts';
import type { MethodOptionsJson, OptionReader } from './options.ts';

export interface MethodModel {
  readonly key: string;
  readonly rpc: string;
  readonly path: string;
  readonly verb: string;
  readonly route: string;
  readonly body: boolean;
  readonly pathFields: readonly string[];
  readonly branch: boolean;
  readonly safe: boolean;
  readonly idempotencyKey: boolean;
  readonly refusals: readonly string[];
  readonly tag: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  /** Full names of messages. */
  readonly request: string;
  readonly reply: string;
}

export interface ServiceModel {
  /** Short name: the package's part before the version. */
  readonly name: string;
  readonly fullName: string;
  readonly package: string;
  readonly title: string;
  readonly httpPort: number;
  readonly grpcPort: number | null;
  /** Import path under the package. */
  readonly module: string;
  /** Prefix of generated types: `Stock`. */
  readonly pascal: string;
  /** Prefix of generated constants: `stock`. */
  readonly camel: string;
  readonly methods: readonly MethodModel[];
}

const VERBS = ['get', 'post', 'put', 'delete'] as const;

function uncapitalize(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function httpOf(
  method: DescMethod,
  options: MethodOptionsJson,
): Pick<MethodModel, 'verb' | 'route' | 'body' | 'pathFields'> {
  const rule = options['[google.api.http]'];
  const verb = VERBS.find((candidate) => rule?.[candidate] !== undefined);
  const route = verb && rule?.[verb];
  if (!rule || !verb || !route) throw new Error(`${method}: google.api.http with get, post, put or delete is required`);
  if (rule.body !== undefined && rule.body !== '*') throw new Error(`${method}: only body: "*" is supported`);
  const pathFields = [...route.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
  for (const name of pathFields) {
    const field = method.input.fields.find((candidate) => candidate.name === name);
    if (field?.fieldKind !== 'scalar')
      throw new Error(`${method}: {${name}} is no scalar field of ${method.input.name}`);
  }
  return { verb, route, body: rule.body === '*', pathFields };
}

function readMethod(options: OptionReader, method: DescMethod): MethodModel {
  const json = options.ofMethod(method);
  if (method.methodKind !== 'unary') throw new Error(`${method}: only unary rpcs are supported`);
  return {
    key: uncapitalize(method.name),
    rpc: method.name,
    path: `/${method.parent.typeName}/${method.name}`,
    ...httpOf(method, json),
    branch: json['[eshop.v1.branch]'] === true,
    safe: json.idempotencyLevel === 'NO_SIDE_EFFECTS',
    idempotencyKey: json['[eshop.v1.idempotency_key]'] === true,
    refusals: (json['[eshop.v1.refusals]'] ?? []).map((name) => name.replace(/^CODE_/, '')),
    tag: json['[eshop.v1.tag]'] ?? method.parent.name,
    operationId: `${method.parent.name}_${method.name}`,
    ...splitSummary(commentOf(method)),
    request: method.input.typeName,
    reply: method.output.typeName,
  };
}

export function readService(options: OptionReader, service: DescService): ServiceModel {
  const info = options.ofService(service)['[eshop.v1.service]'];
  if (!info?.title || !info.httpPort)
    throw new Error(`${service}: option (eshop.v1.service) with title and http_port is required`);
  const parts = service.file.proto.package.split('.');
  const name = parts.findLast((part) => !/^v\d+$/.test(part)) ?? service.name;
  return {
    name,
    fullName: service.typeName,
    package: service.file.proto.package,
    title: info.title,
    httpPort: info.httpPort,
    grpcPort: info.grpcPort ? info.grpcPort : null,
    module: info.module ?? service.name.toLowerCase(),
    pascal: service.name.charAt(0).toUpperCase() + service.name.slice(1),
    camel: uncapitalize(service.name),
    methods: service.methods.map((method) => readMethod(options, method)),
  };
}
