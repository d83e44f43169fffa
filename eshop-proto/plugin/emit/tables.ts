import type { Schema } from '@bufbuild/protoplugin';
import type { FieldModel } from '../model/field.ts';
import type { FileModel, MessageModel } from '../model/model.ts';
import { alias, declaredIn, literal, simpleName, specifier } from './source.ts';

function fieldSource(file: FileModel, field: FieldModel): string {
  const { name, kind, repeated, optional, rules, description, example } = field;
  const members = [
    literal({ name, kind, repeated: repeated || undefined, optional: optional || undefined }).slice(2, -2),
  ];
  if (field.message) {
    const path = declaredIn(file, field.message);
    const prefix = path === file.path ? '' : `${alias(path, 'Tables')}.`;
    members.push(`message: () => ${prefix}${simpleName(field.message)}`);
  }
  members.push(literal({ rules, description, example }).slice(2, -2));
  return `{ ${members.join(', ')} }`;
}

function messageSource(file: FileModel, message: MessageModel): string[] {
  const { name, fullName, description } = message;
  const head = literal({ name, fullName, description }).slice(2, -2);
  if (message.fields.length === 0) return [`export const ${name}: MessageTable = { ${head}, fields: [] };`];
  return [
    `export const ${name}: MessageTable = {`,
    `  ${head},`,
    '  fields: [',
    ...message.fields.map((field) => `    ${fieldSource(file, field)},`),
    '  ],',
    '};',
  ];
}

/** `<file>_tables.ts`: what the runtime must know of each message of a file. */
export function emitTables(schema: Schema, file: FileModel): void {
  const own = `${file.path}_tables`;
  const f = schema.generateFile(`${own}.ts`);
  f.print(`// Generated from ${file.path}.proto by protoc-gen-eshop. Do not edit.`);
  f.print(`import type { MessageTable } from '${specifier(own, '../runtime')}';`);
  const used = file.messages.flatMap((message) => message.fields.flatMap((field) => field.message ?? []));
  const others = new Set(used.map((name) => declaredIn(file, name)).filter((path) => path !== file.path));
  for (const path of others)
    f.print(`import * as ${alias(path, 'Tables')} from '${specifier(own, `${path}_tables`)}';`);
  for (const message of file.messages) {
    f.print();
    for (const line of messageSource(file, message)) f.print(line);
  }
}
