import type { GeneratedFile } from '@bufbuild/protoplugin';
import type { FileModel } from '../model/model.ts';
import { keyLiteral, literal } from './source.ts';

/** The allow-list of list filters for each message whose fields name their columns. */
export function emitColumns(f: GeneratedFile, file: FileModel): void {
  for (const { name, fields } of file.messages) {
    const columns = fields.flatMap((field) => (field.column ? [{ field: field.name, ...field.column }] : []));
    if (columns.length === 0) continue;
    f.print();
    f.print(`/** Columns of {@link ${name}} that list filters and sorting may name. */`);
    f.print(`export const ${name.charAt(0).toLowerCase()}${name.slice(1)}Columns: ColumnTable = {`);
    for (const column of columns) {
      f.print(`  ${keyLiteral(column.name)}: ${literal({ field: column.field, kind: column.kind })},`);
    }
    f.print('};');
  }
}
