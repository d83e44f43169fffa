import type { z } from 'zod';
import { isTree, nodeOf, type Tree } from './schema-tree.js';
import { isSecret } from './secret.js';

/** A copy of the configuration that may be shown. */
export function redactConfig(schema: z.core.$ZodType, config: object): Tree {
  return redact(schema, { ...config }, '') as Tree;
}

function redact(schema: z.core.$ZodType, value: unknown, key: string): unknown {
  const node = nodeOf(schema);
  if (node.type === 'leaf') {
    return node.schemas.some((each) => isSecret(each, key)) && value !== undefined ? '***' : value;
  }
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => {
      const below = node.type === 'record' ? node.value : node.shape[name];
      return [name, below ? redact(below, child, name) : child];
    }),
  );
}
