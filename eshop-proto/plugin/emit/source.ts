import { posix } from 'node:path';
import type { FileModel } from '../model/model.ts';

/** A TypeScript literal. JSON is one, but for keys that need no quotes. */
export function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length === 0) return '{}';
    return `{ ${members.map(([key, member]) => `${keyLiteral(key)}: ${literal(member)}`).join(', ')} }`;
  }
  return JSON.stringify(value);
}

export function keyLiteral(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

/** A doc comment, indented. */
export function docComment(text: string, indent = ''): string[] {
  const lines = text.replaceAll('*/', '*\\/').split('\n');
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}

/** Import specifier of one generated file (path from the root of the output, no ending) as seen from another. */
export function specifier(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to);
  return `${path.startsWith('.') ? path : `./${path}`}.js`;
}

/** Name under which a file's codecs or tables are imported: `stockV1`, `types`. */
export function alias(path: string, suffix = ''): string {
  const parts = posix
    .dirname(path)
    .split('/')
    .filter((part) => part !== 'api');
  const name = parts.map((part, i) => (i === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1))).join('');
  return name + suffix;
}

/** Where a message is declared. */
export function declaredIn(file: FileModel, fullName: string): string {
  const path = file.pathOf.get(fullName);
  if (!path) throw new Error(`${file.path}: ${fullName} is not imported`);
  return path;
}

export function simpleName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}
