import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Document, isNode, parseDocument } from 'yaml';
import { z } from 'zod';
import { DevDefault, devTag } from '../config/dev-default.js';
import { isTree, nodeOf } from '../config/schema-tree.js';
import { baseSections, type PortDefaults } from '../config/sections.js';
import { valuesOf } from './setting-values.js';

export interface ConfigFile {
  readonly contract: PortDefaults;
  /** The service's own sections. */
  readonly config?: z.ZodObject;
  /** Default: `config/<name>.yaml` in the working directory. */
  readonly file?: string;
}

/** One setting of a service: what its schema and its configuration file say about it. */
interface Setting {
  readonly path: readonly string[];
  /** From the inside of its schema out: what it is, then what it is wrapped in. */
  readonly schemas: readonly z.core.$ZodType[];
  /** As in the file; undefined when the file does not name it. */
  readonly value: unknown;
}

function read({ contract, file }: ConfigFile): Document {
  const text = readFileSync(resolve(file ?? `config/${contract.name}.yaml`), 'utf8');
  return parseDocument(text, { customTags: [devTag] });
}

/** All settings of a service. Entries of a record, such as `grpcClients`, are those in the file. */
function settingsOf({ contract, config }: ConfigFile, document: Document): Setting[] {
  const without = new Set([
    ...(contract.grpcPort === null ? ['grpc'] : []),
    ...(document.has('grpcClients') ? [] : ['grpcConnections']),
  ]);
  const base = Object.entries(baseSections(contract)).filter(([key]) => !without.has(key));
  const schema = z.object({ ...Object.fromEntries(base), ...config?.shape });
  const visit = (each: z.core.$ZodType, value: unknown, path: readonly string[]): Setting[] => {
    const node = nodeOf(each);
    if (node.type === 'leaf') return [{ path, schemas: node.schemas, value }];
    const source = isTree(value) ? value : {};
    const shape =
      node.type === 'object' ? node.shape : Object.fromEntries(Object.keys(source).map((key) => [key, node.value]));
    return Object.entries(shape).flatMap(([key, child]) => visit(child, source[key], [...path, key]));
  };
  return visit(schema, document.toJS(), []);
}

/**
 * The settings of a service that its configuration file does not name, by their paths: a file that is to show every setting
 * with its default has none.
 */
export function unnamedSettings(service: ConfigFile): string[] {
  return settingsOf(service, read(service))
    .filter(({ value }) => value === undefined)
    .map(({ path }) => path.join('.'));
}

/** What the file says beside a value, in its line. */
function commentOn(document: Document, path: readonly string[]): string | undefined {
  const node = document.getIn(path, true);
  return isNode(node) ? node.comment?.trim() : undefined;
}

function descriptionOf(schemas: readonly z.core.$ZodType[]): string | undefined {
  return schemas.map((schema) => z.globalRegistry.get(schema)?.description).find((text) => text !== undefined);
}

function shownDefault(value: unknown): string {
  if (value instanceof DevDefault) return `\`${value.text}\` (development only)`;
  if (value === undefined) return '–';
  const text = Array.isArray(value) ? value.join(',') : String(value);
  return text === '' ? '(empty)' : `\`${text}\``;
}

const cell = (text: string) => text.trim().replaceAll('|', '\\|').replaceAll('\n', ' ');

/**
 * The settings of a service as a table in Markdown: the keys and the values they may have from its schema, the defaults from
 * its configuration file, and what they mean from the comment beside the default or, without one, from the schema.
 * @throws Error that names the settings which neither explains
 */
export function settingsTable(service: ConfigFile): string {
  const document = read(service);
  const unexplained: string[] = [];
  const rows = settingsOf(service, document).map(({ path, schemas, value }) => {
    const key = path.join('.');
    const values = valuesOf(schemas);
    const meaning = [commentOn(document, path), descriptionOf(schemas)].find((text) => text && text !== values);
    if (meaning === undefined) unexplained.push(key);
    return `| \`${key}\` | ${shownDefault(value)} | ${cell(values)} | ${cell(meaning ?? '')} |`;
  });
  if (unexplained.length > 0) {
    throw new Error(`neither a comment nor a description explains: ${unexplained.join(', ')}`);
  }
  return ['| key | default | values | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

const BEGIN = '<!-- settings: made by `npm run settings` -->';
const END = '<!-- end of settings -->';

/** The table that a README shows, and the one that it should show. */
export interface ReadmeSettings {
  readonly shown: string;
  readonly actual: string;
}

/**
 * Compares the settings table in a README (between `<!-- settings … -->` and `<!-- end of settings -->`) with the settings.
 * With `SETTINGS=write` in the environment the README is brought up to date first.
 * @throws Error when the README has no such marks
 */
export function readmeSettings(service: ConfigFile, readme = 'README.md'): ReadmeSettings {
  const file = resolve(readme);
  const text = readFileSync(file, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`${file} has no place for the settings: ${BEGIN} … ${END}`);
  const from = begin + BEGIN.length;
  const actual = settingsTable(service);
  if (process.env.SETTINGS !== 'write') return { shown: text.slice(from, end).trim(), actual };
  writeFileSync(file, `${text.slice(0, from)}\n\n${actual}\n\n${text.slice(end)}`);
  return { shown: actual, actual };
}
