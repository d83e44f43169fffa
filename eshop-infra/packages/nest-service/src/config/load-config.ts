import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigError, type ConfigIssue } from './config-error.js';
import { devTag } from './dev-default.js';
import { applyEnvironment, type Environment, envName } from './environment.js';
import { isTree, nodeOf, type Tree } from './schema-tree.js';
import { baseSections, type PortDefaults, type ServiceConfig } from './sections.js';

export interface LoadConfigOptions<S extends z.ZodObject> {
  readonly contract: PortDefaults;
  /** The service's own sections, beside those every service has. */
  readonly config?: S;
  /** Default: CONFIG_FILE, else `config/<name>.yaml` in the working directory. */
  readonly file?: string;
  /** Default: `process.env`. */
  readonly env?: Environment;
  /** Laid over file and environment. For tests. */
  readonly overrides?: Tree;
}

/** A service's whole configuration. */
export type ConfigOf<S extends z.ZodObject> = ServiceConfig & z.infer<S>;

export interface LoadedConfig<S extends z.ZodObject> {
  readonly config: ConfigOf<S>;
  readonly schema: z.ZodObject;
}

/**
 * Reads, merges and checks the configuration.
 * @throws ConfigError that names every wrong, missing and unknown setting
 */
export function loadConfig<S extends z.ZodObject>(options: LoadConfigOptions<S>): LoadedConfig<S> {
  const env = options.env ?? process.env;
  const schema: z.ZodObject = z.object({ ...baseSections(options.contract), ...options.config?.shape });
  const { yaml, source } = readFile(options.file ?? env.CONFIG_FILE, options.contract.name);
  const merged = options.overrides ? merge(yaml, options.overrides) : yaml;
  const { tree, issues } = applyEnvironment(schema, merged, env, env.NODE_ENV === 'production' ? 'refused' : 'allowed');
  const final = options.overrides ? merge(tree, options.overrides) : tree;
  issues.push(...unknownKeys(schema, final));
  const parsed = schema.safeParse(final);
  for (const issue of parsed.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') continue;
    const path = issue.path.map(String);
    issues.push({ path: path.join('.') || '(root)', env: envName(path), message: issue.message });
  }
  if (!parsed.success || issues.length > 0) throw new ConfigError(issues, source);
  return { config: parsed.data as ConfigOf<S>, schema };
}

function readFile(named: string | undefined, name: string): { yaml: Tree; source: string } {
  const file = resolve(named ?? `config/${name}.yaml`);
  if (!existsSync(file)) {
    if (named === undefined) return { yaml: {}, source: `no file ${file}` };
    throw new ConfigError([{ path: 'CONFIG_FILE', message: 'no such file' }], file);
  }
  const document = parseDocument(readFileSync(file, 'utf8'), { customTags: [devTag] });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => ({ path: `line ${error.linePos?.[0].line ?? '?'}`, message: error.message })),
      file,
    );
  }
  const value: unknown = document.toJS() ?? {};
  if (!isTree(value)) throw new ConfigError([{ path: '(root)', message: 'must be a mapping' }], file);
  return { yaml: value, source: file };
}

function unknownKeys(schema: z.core.$ZodType, value: unknown, path: readonly string[] = []): ConfigIssue[] {
  const node = nodeOf(schema);
  if (node.type === 'leaf' || !isTree(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const at = [...path, key];
    const known = node.type === 'record' ? node.value : node.shape[key];
    if (known) return unknownKeys(known, child, at);
    return node.type === 'object' && node.open ? [] : [{ path: at.join('.'), message: 'is not a known setting' }];
  });
}

function merge(base: Tree, over: Tree): Tree {
  const result: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isTree(value) && isTree(below) ? merge(below, value) : value;
  }
  return result;
}
