import type { Schema } from '@bufbuild/protoplugin';
import type { FileModel } from '../model/model.ts';
import type { ServiceModel } from '../model/service.ts';

/** `<module>.ts`: what the package exports under the service's import path. */
export function emitModule(schema: Schema, file: FileModel, service: ServiceModel): void {
  const f = schema.generateFile(`${service.module}.ts`);
  f.print(`// Generated from ${file.path}.proto by protoc-gen-eshop. Do not edit.`);
  if (file.messages.length > 0) f.print(`export * from './${file.path}.js';`);
  f.print(`export * from './${file.path}_contract.js';`);
}
