import type { z } from 'zod';

type Schema = z.core.$ZodType;

/** What a configuration schema says about one place in the YAML tree. */
export type Node =
  | { readonly type: 'object'; readonly shape: Readonly<Record<string, Schema>>; readonly open: boolean }
  | { readonly type: 'record'; readonly value: Schema }
  | { readonly type: 'leaf'; readonly kind: LeafKind; readonly schemas: readonly Schema[] };

export type LeafKind = 'number' | 'boolean' | 'array' | 'other';

interface Def {
  readonly type: string;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly valueType?: Schema;
  readonly catchall?: Schema;
}

const LEAF_KINDS: Readonly<Record<string, LeafKind>> = { number: 'number', boolean: 'boolean', array: 'array' };

/** Looks through defaults, optionals and pipes at what a schema is about. */
export function nodeOf(schema: Schema): Node {
  const schemas: Schema[] = [];
  let current = schema;
  for (;;) {
    schemas.push(current);
    const def = current._zod.def as unknown as Def;
    if (def.type === 'object' && def.shape) {
      const catchall = (def.catchall?._zod.def as unknown as Def | undefined)?.type;
      return { type: 'object', shape: def.shape, open: catchall !== undefined && catchall !== 'never' };
    }
    if (def.type === 'record' && def.valueType) return { type: 'record', value: def.valueType };
    const inner = def.innerType ?? def.in;
    if (!inner) return { type: 'leaf', kind: LEAF_KINDS[def.type] ?? 'other', schemas };
    current = inner;
  }
}

/** A tree of settings as it comes from YAML. */
export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
