import type { Schema } from '@bufbuild/protoplugin';
import type { CodeModel } from '../model/model.ts';
import { literal } from './source.ts';

/** `codes.ts`: every code by name. */
export function emitCodes(schema: Schema, codes: readonly CodeModel[]): void {
  const f = schema.generateFile('codes.ts');
  f.print('// Generated from eshop/v1/code.proto by protoc-gen-eshop. Do not edit.');
  f.print();
  f.print('export type CodeName =');
  for (const [i, { name }] of codes.entries()) f.print(`  | '${name}'${i === codes.length - 1 ? ';' : ''}`);
  f.print();
  f.print('export const codeTable = Object.freeze({');
  for (const code of codes) f.print(`  ${code.name}: ${literal(code)},`);
  f.print('} as const);');
}
