import type { GeneratedFile } from '@bufbuild/protoplugin';
import type { FileModel } from '../model/model.ts';
import { alias } from './source.ts';

/** Reader and writer of each message that travels as JSON outside rpcs. */
export function emitRecords(f: GeneratedFile, file: FileModel): void {
  for (const { name, record } of file.messages) {
    if (!record) continue;
    f.print();
    f.print(`/** {@link ${alias(file.path)}.${name}} as the JSON of a record in a queue. */`);
    f.print(
      `export const ${name.charAt(0).toLowerCase()}${name.slice(1)}Record: JsonRecord<${alias(file.path)}.${name}> =`,
    );
    f.print(`  jsonRecord(${alias(file.path, 'Tables')}.${name});`);
  }
}
