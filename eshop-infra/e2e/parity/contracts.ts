import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The command is installed before there is a registry with our packages, so it cannot depend on them; the library beside it does.
const beside = createRequire(new URL('../../packages/nest-service/package.json', import.meta.url));

/** A module that the libraries use, here under their version. */
export async function load<T>(specifier: string): Promise<T> {
  return (await import(beside.resolve(specifier))) as T;
}

export type Fields = Record<string, unknown>;

/** The rules of a field, as the contract's runtime has them. */
export interface Rules {
  required?: true;
  gt?: number;
  gte?: number;
  lt?: number;
  lte?: number;
  in?: (number | string)[];
  minLen?: number;
  maxLen?: number;
  pattern?: string;
  email?: true;
  timestamp?: true;
  minItems?: number;
  maxItems?: number;
}

export interface FieldTable {
  name: string;
  kind: 'uint64' | 'int64' | 'uint32' | 'int32' | 'bool' | 'string' | 'message';
  repeated?: true;
  optional?: true;
  message?: () => MessageTable;
  rules?: Rules;
  example?: string | number | boolean;
}

export interface MessageTable {
  fullName: string;
  fields: FieldTable[];
}

export interface Method {
  key: string;
  rpc: string;
  path: string;
  verb: 'get' | 'post' | 'put' | 'delete';
  route: string;
  http: { body: boolean; pathFields: string[] };
  branch: boolean;
  safe: boolean;
  idempotencyKey: boolean;
  refusals: string[];
  tag: string;
  operationId: string;
  request: MessageTable;
  reply: MessageTable;
}

/** How a message of a method is written to and read from the wire. */
export interface Wire {
  requestSerialize(message: object): Buffer;
  responseDeserialize(bytes: Buffer): object;
}

export interface Contract {
  name: string;
  fullName: string;
  grpcPort: number | null;
  definition: Record<string, Wire> | null;
  methods: Method[];
}

export interface Column {
  field: string;
  kind: 'uint64' | 'uint32' | 'int32' | 'string' | 'timestamp';
}

export interface Code {
  name: string;
  code: number;
  httpStatus: number;
  grpcStatus: number;
  msg: string;
}

export interface Shop {
  contracts: Contract[];
  /** Columns of an entity by its message's name. */
  columns: Map<string, Record<string, Column>>;
  codes: Record<string, Code>;
}

/** Every contract that the package publishes. */
export async function loadShop(): Promise<Shop> {
  const manifest = JSON.parse(readFileSync(beside.resolve('@eshop/proto/package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  const contracts: Contract[] = [];
  const columns: Shop['columns'] = new Map();
  for (const entry of Object.keys(manifest.exports)) {
    if (entry === '.' || entry === './package.json') continue;
    const exported = await load<Record<string, unknown>>(`@eshop/proto${entry.slice(1)}`);
    for (const [name, value] of Object.entries(exported)) {
      const [, entity] = /^(\w+)Columns$/.exec(name) ?? [];
      if (entity) columns.set(entity.charAt(0).toUpperCase() + entity.slice(1), value as Record<string, Column>);
      else if (/Contract$/.test(name) && 'methods' in (value as object)) contracts.push(value as Contract);
    }
  }
  const { codes } = await load<{ codes: Shop['codes'] }>('@eshop/proto');
  return { contracts, columns, codes };
}

/** The value of a field that is not set. */
export function zeroOf(field: FieldTable): unknown {
  if (field.repeated) return [];
  if (field.optional || field.kind === 'message') return undefined;
  if (field.kind === 'string') return '';
  return field.kind === 'bool' ? false : 0;
}

/** A message with every field, those that are not given at their zero. */
export function complete(table: MessageTable, message: Fields): Fields {
  return Object.fromEntries(
    table.fields.map((field) => {
      const value = message[field.name] ?? zeroOf(field);
      if (field.kind !== 'message' || value === undefined) return [field.name, value];
      const inner = (field.message as () => MessageTable)();
      const whole = (one: unknown) => complete(inner, one as Fields);
      return [field.name, field.repeated ? (value as unknown[]).map(whole) : whole(value)];
    }),
  );
}

/** A message made of the examples. */
export function exampleOf(table: MessageTable): Fields {
  return Object.fromEntries(
    table.fields.map((field) => {
      if (field.repeated) return [field.name, []];
      if (field.kind === 'message') return [field.name, exampleOf((field.message as () => MessageTable)())];
      return [field.name, field.example ?? zeroOf(field)];
    }),
  );
}
