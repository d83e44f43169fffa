import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { devTag } from '../config/dev-default.js';
import { isTree, nodeOf } from '../config/schema-tree.js';
import { baseSections, type PortDefaults } from '../config/sections.js';

export interface ConfigFile {
  readonly contract: PortDefaults;
  /** The service's own sections. */
  readonly config?: z.ZodObject;
  /** Default: `config/<name>.yaml` in the working directory. */
  readonly file?: string;
}

/**
 * The settings of a service that its configuration file does not name, by their paths: a file that is to show every setting
 * with its default has none. Entries of a record, such as `grpcClients`, are those in the file.
 */
export function unnamedSettings({ contract, config, file }: ConfigFile): string[] {
  const { grpc, ...others } = baseSections(contract);
  const schema = z.object({ ...others, ...(contract.grpcPort !== null && { grpc }), ...config?.shape });
  const text = readFileSync(resolve(file ?? `config/${contract.name}.yaml`), 'utf8');
  const value: unknown = parseDocument(text, { customTags: [devTag] }).toJS();
  return unnamed(schema, value, []);
}

function unnamed(schema: z.core.$ZodType, value: unknown, path: readonly string[]): string[] {
  const node = nodeOf(schema);
  if (node.type === 'leaf') return value === undefined ? [path.join('.')] : [];
  const source = isTree(value) ? value : {};
  const shape =
    node.type === 'object' ? node.shape : Object.fromEntries(Object.keys(source).map((key) => [key, node.value]));
  return Object.entries(shape).flatMap(([key, child]) => unnamed(child, source[key], [...path, key]));
}
