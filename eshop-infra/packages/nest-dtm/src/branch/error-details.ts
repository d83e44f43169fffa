import { HttpException } from '@nestjs/common';
import { isRpcException } from './rpc-exception.js';

/** Where validators say in a list what is wrong: `message` is Nest's own (class-validator, Standard Schema), the others are of errors. */
const LISTS = ['details', 'violations', 'errors', 'issues', 'message'] as const;

/** More than these would be cut from the text anyway. */
const MAX_DETAILS = 10;

/** What an error says in a list beside its message: of a payload that is not valid each thing that is wrong, by its field. */
export function detailsOf(error: Error): string[] {
  for (const holder of [bodyOf(error), error]) {
    for (const name of LISTS) {
      const list = property(holder, name);
      const details = Array.isArray(list) ? list.slice(0, MAX_DETAILS).map(detail).filter(Boolean) : [];
      if (details.length > 0) return details;
    }
  }
  return [];
}

/** What the error would be answered with. */
function bodyOf(error: Error): unknown {
  if (error instanceof HttpException) return error.getResponse();
  return isRpcException(error) ? error.getError() : undefined;
}

/** A text, or an object with a field and words: of class-validator, Zod, Standard Schema, google.rpc.BadRequest. */
function detail(item: unknown): string {
  if (typeof item === 'string') return item;
  const field = fieldOf(property(item, 'path') ?? property(item, 'field') ?? property(item, 'property'));
  const words = wordsOf(property(item, 'message') ?? property(item, 'description') ?? property(item, 'constraints'));
  return field && words ? `${field}: ${words}` : field || words;
}

function fieldOf(path: unknown): string {
  const parts: unknown[] = Array.isArray(path) ? path : [path];
  return parts
    .map((part) => property(part, 'key') ?? part)
    .filter(isName)
    .join('.');
}

function isName(part: unknown): part is string | number {
  return typeof part === 'string' || typeof part === 'number';
}

function wordsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return Object.values(Object(value))
    .filter((each) => typeof each === 'string')
    .join(', ');
}

function property(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined;
}
