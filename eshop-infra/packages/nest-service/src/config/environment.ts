import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import type { ConfigIssue } from './config-error.js';
import { DevDefault } from './dev-default.js';
import { isTree, type LeafKind, type Node, nodeOf, type Tree } from './schema-tree.js';

/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `['http', 'bodyLimit']` → `HTTP_BODY_LIMIT` */
export function envName(path: readonly string[]): string {
  return path.map(upperSnake).join('_');
}

/**
 * Puts the environment's values over the YAML's: a variable named after the path of a setting, or the same name with
 * `_FILE` for a file that holds the value (Docker and Kubernetes secrets). Entries of a record may exist in the
 * environment only. Also replaces development defaults by their values, or reports them when they are not allowed.
 */
export function applyEnvironment(
  schema: z.core.$ZodType,
  yaml: Tree,
  env: Environment,
  devDefaults: 'allowed' | 'refused',
): { tree: Tree; issues: ConfigIssue[] } {
  const issues: ConfigIssue[] = [];

  const visit = (node: Node, value: unknown, path: readonly string[]): unknown => {
    if (node.type === 'leaf') return leaf(node.kind, value, path);
    if (value !== undefined && value !== null && !isTree(value)) return value;
    const source = value ?? {};
    const result: Tree = { ...source };
    const shape = node.type === 'object' ? node.shape : recordShape(node.value, source, path, env);
    for (const [key, child] of Object.entries(shape)) {
      const set = visit(nodeOf(child), source[key], [...path, key]);
      if (set === undefined) delete result[key];
      else result[key] = set;
    }
    return Object.keys(result).length > 0 || isTree(value) ? result : undefined;
  };

  const leaf = (kind: LeafKind, value: unknown, path: readonly string[]): unknown => {
    const name = envName(path);
    const text = env[name];
    if (text !== undefined) return fromText(kind, text);
    const file = env[`${name}_FILE`];
    if (file !== undefined) {
      try {
        return fromText(kind, readFileSync(file, 'utf8').replace(/\r?\n$/, ''));
      } catch (error) {
        issues.push({ path: path.join('.'), env: `${name}_FILE`, message: `cannot be read: ${String(error)}` });
        return value;
      }
    }
    if (!(value instanceof DevDefault)) return value;
    if (devDefaults === 'refused') {
      issues.push({
        path: path.join('.'),
        env: name,
        message: 'has only a development default, which is refused under NODE_ENV=production',
      });
    }
    return fromText(kind, value.text);
  };

  return { tree: (visit(nodeOf(schema), yaml, []) ?? {}) as Tree, issues };
}

function fromText(kind: LeafKind, text: string): unknown {
  if (kind === 'number') return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (kind !== 'array') return text;
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** The entries of a record: those in the YAML, and those that only the environment names. */
function recordShape(value: z.core.$ZodType, source: Tree, path: readonly string[], env: Environment) {
  const keys = new Set(Object.keys(source));
  const node = nodeOf(value);
  if (node.type === 'object') {
    const prefix = `${envName(path)}_`;
    for (const name of Object.keys(env)) {
      if (!name.startsWith(prefix)) continue;
      for (const child of Object.keys(node.shape)) {
        const ending = new RegExp(`^(.+)_${upperSnake(child)}(_FILE)?$`).exec(name.slice(prefix.length));
        if (ending?.[1]) keys.add(knownKey(keys, ending[1]));
      }
    }
  }
  return Object.fromEntries([...keys].map((key) => [key, value]));
}

function knownKey(keys: ReadonlySet<string>, snake: string): string {
  for (const key of keys) if (upperSnake(key) === snake) return key;
  return snake.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function upperSnake(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}
