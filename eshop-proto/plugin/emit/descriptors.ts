import type { Schema } from '@bufbuild/protoplugin';
import type { FileModel } from '../model/model.ts';

/** `<file>_descriptors.ts`: the file and all it imports, for gRPC reflection. */
export function emitDescriptors(schema: Schema, file: FileModel): void {
  const f = schema.generateFile(`${file.path}_descriptors.ts`);
  f.print(`// Generated from ${file.path}.proto by protoc-gen-eshop. Do not edit.`);
  f.print();
  f.print('/** Serialized google.protobuf.FileDescriptorProto in base64, imports first. */');
  f.print('export const fileDescriptors: readonly string[] = [');
  for (const text of file.descriptors()) f.print(`  '${text}',`);
  f.print('];');
}
