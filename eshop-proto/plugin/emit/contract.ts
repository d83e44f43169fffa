import type { GeneratedFile, Schema } from '@bufbuild/protoplugin';
import type { FileModel } from '../model/model.ts';
import type { MethodModel, ServiceModel } from '../model/service.ts';
import { emitClient } from './client.ts';
import { emitColumns } from './columns.ts';
import { emitRecords } from './records.ts';
import { alias, declaredIn, docComment, literal, simpleName, specifier } from './source.ts';

function requireService(file: FileModel): ServiceModel {
  if (!file.service) throw new Error(`${file.path} has no service`);
  return file.service;
}

/** A message's type and codec as seen from the contract file: `stockV1.CreateStockRequest`. */
export function messageRef(file: FileModel, fullName: string): string {
  return `${alias(declaredIn(file, fullName))}.${simpleName(fullName)}`;
}

function tableRef(file: FileModel, fullName: string): string {
  return `${alias(declaredIn(file, fullName), 'Tables')}.${simpleName(fullName)}`;
}

export function methodDoc({ summary, description, verb, route }: MethodModel): string {
  return `${summary}.${description ? ` ${description}` : ''}\n\n${verb.toUpperCase()} ${route}`;
}

function emitImports(f: GeneratedFile, file: FileModel, service: ServiceModel, own: string): void {
  const runtime = ['bindController', 'type MethodContract', 'type ServiceContract', 'withFileDescriptors'];
  if (service.grpcPort !== null)
    runtime.push('type CallOptions', 'type ClientContract', 'defineClientModule', 'safeDefinition', 'unary');
  if (file.messages.some((message) => message.fields.some((field) => field.column))) runtime.push('type ColumnTable');
  if (file.messages.some(({ record }) => record)) runtime.push('type JsonRecord', 'jsonRecord');
  f.print(`import { ${runtime.join(', ')} } from '${specifier(own, '../runtime')}';`);
  const paths = new Set(
    service.methods.flatMap((method) => [method.request, method.reply]).map((name) => declaredIn(file, name)),
  );
  const kind = service.grpcPort === null ? 'import type' : 'import';
  for (const path of paths) {
    f.print(`${kind} * as ${alias(path)} from '${specifier(own, path)}';`);
    f.print(`import * as ${alias(path, 'Tables')} from '${specifier(own, `${path}_tables`)}';`);
  }
  f.print(`import { fileDescriptors } from '${specifier(own, `${file.path}_descriptors`)}';`);
}

function emitDefinition(f: GeneratedFile, file: FileModel, service: ServiceModel): void {
  f.print();
  f.print(`/** The gRPC methods of ${service.fullName}, with static codecs. */`);
  f.print(`export const ${service.pascal}Service = {`);
  for (const method of service.methods) {
    for (const line of docComment(methodDoc(method), '  ')) f.print(line);
    f.print(
      `  ${method.key}: unary('${method.path}', ${messageRef(file, method.request)}, ${messageRef(file, method.reply)}),`,
    );
  }
  f.print('};');
}

function emitServiceContract(f: GeneratedFile, file: FileModel, service: ServiceModel): void {
  const { name, fullName, title, httpPort, grpcPort } = service;
  f.print();
  f.print('const methods: readonly MethodContract[] = [');
  for (const method of service.methods) {
    const { request, reply, body, pathFields, ...rest } = method;
    f.print('  {');
    for (const [key, value] of Object.entries(rest)) f.print(`    ${key}: ${literal(value)},`);
    f.print(`    http: ${literal({ body, pathFields })},`);
    f.print(`    request: ${tableRef(file, request)},`);
    f.print(`    reply: ${tableRef(file, reply)},`);
    f.print('  },');
  }
  f.print('];');
  f.print();
  f.print(`/** What serving ${fullName} needs. */`);
  f.print(`export const ${service.camel}Contract: ServiceContract = withFileDescriptors(`);
  f.print('  {');
  f.print(`    ${literal({ name, fullName, package: service.package, title, httpPort, grpcPort }).slice(2, -2)},`);
  f.print(`    definition: ${grpcPort === null ? 'null' : `safeDefinition(${service.pascal}Service)`},`);
  f.print('    methods,');
  f.print('  },');
  f.print('  fileDescriptors,');
  f.print(');');
}

function emitController(
  f: GeneratedFile,
  file: FileModel,
  service: ServiceModel,
  name: string,
  what: string,
  branch: boolean,
): void {
  const methods = service.methods.filter((method) => method.branch === branch);
  if (methods.length === 0) return;
  f.print();
  f.print(`/** The ${what} of ${service.fullName}. */`);
  f.print(`export interface ${name} {`);
  for (const method of methods) {
    for (const line of docComment(methodDoc(method), '  ')) f.print(line);
    f.print(
      `  ${method.key}: (request: ${messageRef(file, method.request)}) => Promise<${messageRef(file, method.reply)}>;`,
    );
  }
  f.print('}');
  f.print();
  const doc = `Class decorator: binds the methods of a controller that implements {@link ${name}} to gRPC and HTTP, with validation and\ndocumentation. A class that lacks a method, or has one with other types, does not compile.`;
  for (const line of docComment(doc)) f.print(line);
  f.print(`export function ${name}(): <T extends new (...args: never[]) => ${name}>(target: T) => void {`);
  f.print(`  return bindController(${service.camel}Contract, ${literal(methods.map((method) => method.key))});`);
  f.print('}');
}

/** `<file>_contract.ts`: everything of a service but its messages. */
export function emitContract(schema: Schema, file: FileModel): void {
  const service = requireService(file);
  const own = `${file.path}_contract`;
  const f = schema.generateFile(`${own}.ts`);
  f.print(`// Generated from ${file.path}.proto by protoc-gen-eshop. Do not edit.`);
  emitImports(f, file, service, own);
  if (service.grpcPort !== null) emitDefinition(f, file, service);
  emitServiceContract(f, file, service);
  emitController(f, file, service, `${service.pascal}Api`, 'public methods', false);
  emitController(f, file, service, `${service.pascal}Saga`, 'methods that DTM calls', true);
  if (service.grpcPort !== null) emitClient(f, file, service);
  emitColumns(f, file);
  emitRecords(f, file);
}
