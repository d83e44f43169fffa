import {
  ApiBody,
  ApiHeader,
  ApiOperation,
  ApiParam,
  type ApiParamOptions,
  ApiQuery,
  type ApiQueryOptions,
  ApiResponse,
  type ApiResponseOptions,
} from '@nestjs/swagger';
import { type CodeDef, type CodeName, codes } from '../codes.js';
import type { MethodContract } from '../contract.js';
import { mayBeAbsent } from '../validate.js';
import { bodyComponent, envelopeComponent, scalarOptions } from './components.js';
import { ErrorEnvelope } from './error-envelope.js';

const GENERAL: readonly CodeName[] = ['INTERNAL', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'];
/** Answers that say when to come back. */
const WITH_RETRY_AFTER: ReadonlySet<number> = new Set([425, 429, 503]);
const RETRY_AFTER = {
  'Retry-After': { description: 'Whole seconds after which to try again.', schema: { type: 'integer', minimum: 1 } },
} as const;
const OF_BODY: readonly CodeName[] = ['MALFORMED_BODY', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

function errorCodes(method: MethodContract): CodeDef[] {
  const names = new Set<CodeName>();
  if (method.request.fields.length > 0) names.add('INVALID_PARAMETER');
  if (method.http.body) for (const name of OF_BODY) names.add(name);
  if (method.branch) names.add('UNAUTHENTICATED');
  if (method.idempotencyKey) names.add('IDEMPOTENCY_KEY_REUSED');
  for (const name of [...method.refusals, ...GENERAL]) names.add(name);
  return [...names].map((name) => codes[name]);
}

/** The answer that the example of a code shows. */
function exampleOf(def: CodeDef): object {
  const violations = [{ field: 'id', rule: 'uint64.gt', description: 'must be greater than 0' }];
  const envelope = { code: def.code, msg: def.msg, data: {}, requestID: '5f0c1c9e8a' };
  return def.name === 'INVALID_PARAMETER' ? { ...envelope, violations } : envelope;
}

/** One answer a status, with an example for each code that has it. */
function errorResponses(method: MethodContract): MethodDecorator[] {
  const byStatus = Map.groupBy(errorCodes(method), (def) => def.httpStatus);
  return [...byStatus].map(([status, defs]) =>
    ApiResponse({
      status,
      type: ErrorEnvelope,
      description: defs.map((def) => `${def.code} ${def.name}: ${def.description}`).join('\n\n'),
      ...(WITH_RETRY_AFTER.has(status) && { headers: RETRY_AFTER }),
      examples: Object.fromEntries(defs.map((def) => [def.name, { summary: def.msg, value: exampleOf(def) }])),
    } as ApiResponseOptions),
  );
}

function parameters(method: MethodContract): MethodDecorator[] {
  const decorators: MethodDecorator[] = [];
  for (const field of method.request.fields) {
    const inPath = method.http.pathFields.includes(field.name);
    if (field.kind === 'message' || (!inPath && method.http.body)) continue;
    const { name, description } = field;
    const options = { name, description, schema: scalarOptions(field) };
    decorators.push(
      inPath
        ? ApiParam({ ...options, required: true } as ApiParamOptions)
        : ApiQuery({ ...options, required: !mayBeAbsent(field) } as ApiQueryOptions),
    );
  }
  return decorators;
}

/** No example: a key that is filled in beforehand would make the second try with other values fail. */
function idempotencyKeyHeader(): MethodDecorator {
  return ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'Chosen by the client, a new one for each request. The same key with the same body is carried out once, however often it is sent, and answered with the same order for at least 24 hours; with another body it is refused.',
    schema: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[ -~]+$' },
  });
}

/** The decorators that document a method in Swagger: operation, parameters, body, answers. */
export function documentOperation(method: MethodContract): MethodDecorator[] {
  const { operationId, summary, description, tag } = method;
  const decorators = [
    ApiOperation({ operationId, summary, description, tags: [tag] }),
    ...parameters(method),
    ...(method.idempotencyKey ? [idempotencyKeyHeader()] : []),
    ApiResponse({ status: 200, description: 'Carried out.', type: envelopeComponent(method.reply) }),
    ...errorResponses(method),
  ];
  if (method.http.body) {
    decorators.push(ApiBody({ type: bodyComponent(method.request, method.http.pathFields), required: true }));
  }
  return decorators;
}
