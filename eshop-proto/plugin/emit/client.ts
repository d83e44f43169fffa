import type { GeneratedFile } from '@bufbuild/protoplugin';
import type { FileModel } from '../model/model.ts';
import type { ServiceModel } from '../model/service.ts';
import { messageRef, methodDoc } from './contract.ts';
import { docComment, literal } from './source.ts';

/** The client class, which is the injection token, and the module that provides it. */
export function emitClient(f: GeneratedFile, file: FileModel, service: ServiceModel): void {
  const { pascal, camel, name, fullName } = service;
  f.print();
  f.print(`/** What a factory needs to make a client of ${fullName}. */`);
  f.print(`export const ${camel}ClientContract: ClientContract = {`);
  f.print(`  ${literal({ name, fullName }).slice(2, -2)},`);
  f.print(`  definition: ${pascal}Service,`);
  f.print(`  safe: ${literal(service.methods.filter((method) => method.safe).map((method) => method.key))},`);
  f.print('};');
  f.print();
  f.print(`/** gRPC client of ${fullName}; calls fail with ContractError. */`);
  f.print(`export abstract class ${pascal}Client {`);
  for (const method of service.methods) {
    for (const line of docComment(methodDoc(method), '  ')) f.print(line);
    f.print(
      `  abstract ${method.key}(request: ${messageRef(file, method.request)}, options?: CallOptions): Promise<${messageRef(file, method.reply)}>;`,
    );
  }
  f.print('}');
  f.print();
  f.print(`/** Provides and exports {@link ${pascal}Client}. */`);
  f.print(`export class ${pascal}ClientModule {}`);
  f.print(`defineClientModule(${pascal}ClientModule, ${pascal}Client, ${camel}ClientContract);`);
}
