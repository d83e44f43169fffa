import { ContractError } from './contract-error.js';
import { httpRequestParser } from './http-request.js';
import type { Fields, MessageTable } from './table.js';

/** A message as the JSON text of a record in a queue. */
export interface JsonRecord<T> {
  /**
   * Reads and checks a record: unknown members are left out, as in a request.
   * Throws ContractError MALFORMED_BODY when it is no JSON, INVALID_PARAMETER with every broken rule otherwise.
   */
  read(value: Uint8Array | null): T;
  write(message: T): string;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function parse(value: Uint8Array | null): unknown {
  if (value === null) throw new ContractError('MALFORMED_BODY', 'the record has no value');
  try {
    return JSON.parse(UTF8.decode(value));
  } catch (cause) {
    throw new ContractError('MALFORMED_BODY', 'the record is not JSON', { cause });
  }
}

export function jsonRecord<T extends object>(table: MessageTable): JsonRecord<T> {
  const names = table.fields.map(({ name }) => name);
  const check = httpRequestParser(table, { body: true, pathFields: [] });
  return {
    read: (value) => check({ body: parse(value) }) as T,
    write: (message) => {
      const fields = message as Fields;
      return JSON.stringify(Object.fromEntries(names.map((name) => [name, fields[name]])));
    },
  };
}
