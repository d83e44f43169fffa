import { z } from 'zod';

/** The part of a JSON Schema that describes one setting. */
interface ValueSchema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

function range(kind: string, { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER }: ValueSchema) {
  const least = minimum > Number.MIN_SAFE_INTEGER;
  const most = maximum < Number.MAX_SAFE_INTEGER;
  if (least && most) return `${kind}, ${minimum} to ${maximum}`;
  if (least) return `${kind}, ${minimum} or more`;
  return most ? `${kind}, ${maximum} at most` : kind;
}

/** The values that a setting may have, in words; from the inside of its schema out. */
export function valuesOf(schemas: readonly z.core.$ZodType[]): string {
  const inner = schemas.at(-1);
  if (!inner) return '';
  const schema = z.toJSONSchema(inner, { io: 'input', unrepresentable: 'any' }) as ValueSchema;
  if (schema.enum) return schema.enum.map(String).join(', ');
  if (schema.type === 'integer') return range('integer', schema);
  if (schema.type === 'number') return range('number', schema);
  if (schema.type === 'boolean') return 'true, false';
  if (schema.type === 'array') return 'list, with commas in the environment';
  return schema.format === 'uri' ? 'URL' : 'text';
}
