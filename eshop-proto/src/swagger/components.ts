import { ApiProperty, type ApiPropertyOptions, ApiSchema } from '@nestjs/swagger';
import type { FieldTable, MessageTable, ScalarKind } from '../table.js';
import { mayBeAbsent } from '../validate.js';

/** A class that @nestjs/swagger turns into a named component. */
export type Component = new () => object;

/** In a reply every field is present; in a request those must be that the rules do not let go. */
export type Role = 'request' | 'reply';

const SCALARS: Readonly<Record<ScalarKind, ApiPropertyOptions>> = {
  uint64: { type: 'integer', format: 'uint64', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  int64: { type: 'integer', format: 'int64' },
  uint32: { type: 'integer', format: 'uint32', minimum: 0, maximum: 0xffffffff },
  int32: { type: 'integer', format: 'int32' },
  bool: { type: 'boolean' },
  string: { type: 'string' },
};

/** An integer above n is at least n + 1, and OpenAPI readers know `minimum` best. */
function ruleOptions({ rules }: FieldTable): ApiPropertyOptions {
  if (!rules) return {};
  const options: Record<string, unknown> = {};
  const minimum = rules.gt === undefined ? rules.gte : rules.gt + 1;
  const maximum = rules.lt === undefined ? rules.lte : rules.lt - 1;
  if (minimum !== undefined) options.minimum = minimum;
  if (maximum !== undefined) options.maximum = maximum;
  if (rules.in) options.enum = rules.in;
  if (rules.minLen !== undefined) options.minLength = rules.minLen;
  if (rules.maxLen !== undefined) options.maxLength = rules.maxLen;
  if (rules.pattern !== undefined) options.pattern = rules.pattern;
  if (rules.email) options.format = 'email';
  if (rules.minItems !== undefined) options.minItems = rules.minItems;
  if (rules.maxItems !== undefined) options.maxItems = rules.maxItems;
  return options;
}

/** Type, rules and example of one field that is no message. */
export function scalarOptions(field: FieldTable): ApiPropertyOptions {
  const options = { ...SCALARS[field.kind as ScalarKind], ...ruleOptions(field) };
  return { ...options, ...(field.example === undefined ? {} : { example: field.example }) } as ApiPropertyOptions;
}

function isRequired(field: FieldTable, role: Role): boolean {
  if (role === 'request') return !mayBeAbsent(field);
  return field.repeated === true || !(field.optional || field.kind === 'message');
}

function propertyOptions(field: FieldTable, role: Role): ApiPropertyOptions {
  const common = {
    description: field.description,
    required: isRequired(field, role),
    ...(field.repeated ? { isArray: true } : {}),
  };
  const { message } = field;
  if (!message) return { ...scalarOptions(field), ...common } as ApiPropertyOptions;
  return { ...ruleOptions(field), ...common, type: () => messageComponent(message(), role) } as ApiPropertyOptions;
}

function component(name: string, description: string, properties: readonly [string, ApiPropertyOptions][]): Component {
  const Component = { [name]: class {} }[name] as Component;
  ApiSchema({ name, description })(Component);
  for (const [key, options] of properties) ApiProperty(options)(Component.prototype, key);
  return Component;
}

const components = new WeakMap<MessageTable, Map<string, Component>>();

function once(table: MessageTable, name: string, make: () => Component): Component {
  let named = components.get(table);
  if (!named) {
    named = new Map();
    components.set(table, named);
  }
  let made = named.get(name);
  if (!made) {
    made = make();
    named.set(name, made);
  }
  return made;
}

/** The component of a message, under the message's name. */
export function messageComponent(table: MessageTable, role: Role): Component {
  return once(table, table.name, () =>
    component(
      table.name,
      table.description,
      table.fields.map((field) => [field.name, propertyOptions(field, role)]),
    ),
  );
}

/** The component of a JSON body: the message without the fields that are in the path. */
export function bodyComponent(table: MessageTable, pathFields: readonly string[]): Component {
  if (pathFields.length === 0) return messageComponent(table, 'request');
  const name = `${table.name}Body`;
  const fields = table.fields.filter((field) => !pathFields.includes(field.name));
  return once(table, name, () =>
    component(
      name,
      table.description,
      fields.map((field) => [field.name, propertyOptions(field, 'request')]),
    ),
  );
}

/** The component of a successful answer: the envelope around a reply. */
export function envelopeComponent(reply: MessageTable): Component {
  const name = `${reply.name}Envelope`;
  return once(reply, name, () =>
    component(name, `Successful answer with ${reply.name}.`, [
      ['code', { type: 'integer', enum: [0], description: 'Always 0: success.', example: 0, required: true }],
      ['msg', { type: 'string', description: 'Always `ok`.', example: 'ok', required: true }],
      ['data', { type: () => messageComponent(reply, 'reply'), description: 'The reply.', required: true }],
    ]),
  );
}
