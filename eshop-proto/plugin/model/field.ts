import { type DescField, ScalarType } from '@bufbuild/protobuf';
import { commentOf } from './comment.ts';
import type { FieldOptionsJson, OptionReader } from './options.ts';

export interface ColumnModel {
  readonly name: string;
  readonly kind: string;
}

export interface FieldModel {
  readonly name: string;
  readonly kind: string;
  readonly repeated: boolean;
  readonly optional: boolean;
  /** Full name of the message, where kind is `message`. */
  readonly message?: string;
  /** As the runtime's `Rules`; undefined when there is none. */
  readonly rules?: Readonly<Record<string, unknown>>;
  readonly column?: ColumnModel;
  readonly description: string;
  readonly example?: string | number | boolean;
}

const KINDS: Partial<Record<ScalarType, string>> = {
  [ScalarType.UINT64]: 'uint64',
  [ScalarType.INT64]: 'int64',
  [ScalarType.UINT32]: 'uint32',
  [ScalarType.INT32]: 'int32',
  [ScalarType.BOOL]: 'bool',
  [ScalarType.STRING]: 'string',
};

function kindOf(field: DescField): string {
  const single = field.fieldKind === 'list' ? field.listKind : field.fieldKind;
  if (single === 'message') return 'message';
  const kind = single === 'scalar' && field.scalar !== undefined ? KINDS[field.scalar] : undefined;
  if (!kind) throw new Error(`${field}: this kind of field is not supported`);
  return kind;
}

function numberOf(value: string | number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`rule value ${value} is not an integer up to 2^53-1`);
  return number;
}

function rulesOf(field: DescField, kind: string, json: FieldOptionsJson): Record<string, unknown> | undefined {
  const { required, ignore, ...typed } = json['[buf.validate.field]'] ?? {};
  const out: Record<string, unknown> = {};
  if (json['[eshop.v1.timestamp]']) {
    if (field.fieldKind !== 'scalar' || kind !== 'string') throw new Error(`${field}: a timestamp is a single text`);
    out.timestamp = true;
  }
  if (required) out.required = true;
  if (ignore === 'IGNORE_IF_ZERO_VALUE') out.ignoreZero = true;
  const group = field.fieldKind === 'list' ? 'repeated' : kind;
  for (const [name, values] of Object.entries(typed)) {
    if (name !== group) throw new Error(`${field}: rules for ${name} on a field of kind ${group}`);
    for (const [rule, value] of Object.entries(values as Record<string, unknown>)) {
      const numeric = rule !== 'pattern' && rule !== 'email' && !(rule === 'in' && kind === 'string');
      const convert = (one: unknown) => (numeric ? numberOf(one as string | number) : one);
      out[rule] = Array.isArray(value) ? value.map(convert) : convert(value);
    }
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

function exampleOf(kind: string, text: string | undefined): FieldModel['example'] {
  if (text === undefined || kind === 'string') return text;
  return kind === 'bool' ? text === 'true' : numberOf(text);
}

export function readField(options: OptionReader, field: DescField): FieldModel {
  const kind = kindOf(field);
  const json = options.ofField(field);
  const column = json['[eshop.v1.column]'];
  return {
    name: field.name,
    kind,
    repeated: field.fieldKind === 'list',
    optional: field.proto.proto3Optional,
    message: field.message?.typeName,
    rules: rulesOf(field, kind, json),
    column: column && { name: column.name, kind: column.timestamp ? 'timestamp' : kind },
    description: commentOf(field),
    example: exampleOf(kind, json['[eshop.v1.example]']),
  };
}
