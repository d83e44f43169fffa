import { isNativeError } from 'node:util/types';
import { Refused } from '../base/ask.ts';
import { type Context, commandLine } from '../context.ts';
import { allParts, possibleParts, stackParts } from '../parts/all.ts';
import { doNotRun, howToStart, listed, partsThatDoNotRun, withNeeds } from '../parts/needs.ts';
import type { Part } from '../parts/part.ts';

/** What the clients of the servers (Node, mysql2, ioredis, KafkaJS, fetch) call a connection that cannot be made, or has been lost. */
const CONNECTION_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'PROTOCOL_CONNECTION_LOST'],
  ...['UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT', 'CONNECTION_BROKEN'],
]);
const CONNECTION_NAMES = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSBrokerNotFound',
  'KafkaJSRequestTimeoutError',
]);
const CONNECTION_TEXTS = /^Connection is closed\.$/;
/** Of a service that is there and lacks something itself. */
const LACKING = [502, 503, 504];

interface Link extends Error {
  code?: unknown;
  port?: unknown;
  broker?: unknown;
  errors?: unknown;
  /** KafkaJS's name for a cause. */
  originalError?: unknown;
}

/** An error, its causes, and those of which several were put together. */
function* chain(error: unknown, depth = 0): Generator<Link> {
  if (!isNativeError(error) || depth > 8) return;
  const { cause, errors, originalError } = error as Link;
  yield error;
  for (const next of [cause, originalError, ...(Array.isArray(errors) ? errors : [])]) yield* chain(next, depth + 1);
}

const isOfConnection = ({ code, name, message }: Link) =>
  CONNECTION_CODES.has(String(code)) || CONNECTION_NAMES.has(name) || CONNECTION_TEXTS.test(message);

/** The port at which nobody answered, where the error tells it. */
function portIn({ port, broker, message }: Link): number | undefined {
  if (typeof port === 'number') return port;
  const text = typeof broker === 'string' ? broker : /ECONNREFUSED \S+/.exec(message)?.[0];
  const found = /:(\d{1,5})$/.exec(text ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The part whose port it is in this instance. */
function partAt(context: Context, port: number): Part | undefined {
  return possibleParts(context).find((part) => part.ports.some((name) => context.ports[name] === port));
}

/**
 * What an error says of this instance's parts: `mysql does not run (start it: eshop start mysql)`. Undefined for an error that is
 * not about a server that cannot be reached. The one place where such errors of all clients become words.
 */
export async function unreachablePart(context: Context, error: unknown): Promise<string | undefined> {
  if (error instanceof Refused && LACKING.includes(error.status)) {
    const stopped = await partsThatDoNotRun(context, allParts(context));
    return stopped.length > 0 ? `${error.message}\n${told(context, stopped)}` : undefined;
  }
  const links = [...chain(error)];
  if (!links.some(isOfConnection)) return undefined;
  const ports = links.flatMap((link) => portIn(link) ?? []);
  const parts = ports.flatMap((port) => partAt(context, port) ?? []);
  const suspects = parts.length > 0 ? withNeeds(context, parts) : ports.length > 0 ? [] : allParts(context);
  const stopped = await partsThatDoNotRun(context, suspects);
  if (stopped.length > 0) return told(context, stopped);
  const silent = ports.length > 0 ? parts : await partsThatDoNotAnswer(context, stackParts);
  const [first] = silent;
  if (!first) return undefined;
  const names = [...new Set(silent.map(({ name }) => name))];
  const verbs = names.length > 1 ? 'run, but do not answer' : 'runs, but does not answer';
  return `${listed(names)} ${verbs} (${commandLine(context, `logs ${first.name}`)} may tell why)`;
}

/** Those that do not answer although what they need does: a frozen server, one that is full. */
async function partsThatDoNotAnswer(context: Context, parts: readonly Part[]): Promise<Part[]> {
  const answers = await Promise.allSettled(parts.map((part) => (part.probe ?? part.check)(context)));
  const silent = parts.filter((_, index) => answers[index]?.status === 'rejected');
  return silent.filter(({ needs }) => !silent.some(({ name }) => needs.includes(name)));
}

function told(context: Context, names: readonly string[]): string {
  return `${listed(names)} ${doNotRun(names)} (${howToStart(context, names)})`;
}
