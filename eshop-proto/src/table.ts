/** Kinds of a single value that the contract uses. */
export type ScalarKind = 'uint64' | 'int64' | 'uint32' | 'int32' | 'bool' | 'string';

/** The rules of a field: those of buf.validate, without the type they are grouped by there, and `timestamp`. */
export interface Rules {
  readonly required?: true;
  /** Leave the other rules out for the zero value. */
  readonly ignoreZero?: true;
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
  readonly in?: readonly (number | string)[];
  /** Code points. */
  readonly minLen?: number;
  /** Code points. */
  readonly maxLen?: number;
  readonly pattern?: string;
  readonly email?: true;
  /** A time of RFC 3339, or empty. */
  readonly timestamp?: true;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface FieldTable {
  /** Name in the contract, in JSON and in the message's interface. */
  readonly name: string;
  readonly kind: ScalarKind | 'message';
  readonly repeated?: true;
  /** proto3 `optional`: undefined when absent, instead of the zero value. */
  readonly optional?: true;
  /** The message, where kind is `message`; a function, because messages may refer to each other. */
  readonly message?: () => MessageTable;
  readonly rules?: Rules;
  readonly description: string;
  readonly example?: string | number | boolean;
}

/** What the runtime knows of a message: enough to parse it from JSON, to validate and to document it. */
export interface MessageTable {
  readonly name: string;
  readonly fullName: string;
  readonly description: string;
  readonly fields: readonly FieldTable[];
}

/** A message as a bag of fields. */
export type Fields = Record<string, unknown>;

/** The value of a field that is not set. */
export function zeroOf(field: FieldTable): unknown {
  if (field.repeated) return [];
  if (field.optional || field.kind === 'message') return undefined;
  if (field.kind === 'string') return '';
  return field.kind === 'bool' ? false : 0;
}
