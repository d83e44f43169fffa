import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
  /** What came behind this answer. */
  readonly rest: string;
  /** From the first byte sent until the server closed the connection, ms. */
  readonly ms: number;
}

/** Sends bytes as they are, and reads one answer until the server closes the connection; the client does not close its side. */
export async function rawHttp(base: string, bytes: string | Uint8Array): Promise<RawAnswer> {
  const started = performance.now();
  const socket = connect({ port: Number(new URL(base).port), host: '127.0.0.1', allowHalfOpen: true });
  socket.write(bytes);
  const answer = await text(socket);
  socket.destroy();
  const end = answer.indexOf('\r\n\r\n');
  const head = answer.slice(0, end);
  const [line = '', ...fields] = head.split('\r\n');
  const pairs = fields.map((field) => [
    field.slice(0, field.indexOf(':')).toLowerCase(),
    field.slice(field.indexOf(':') + 1).trim(),
  ]);
  const headers = Object.fromEntries(pairs) as Record<string, string>;
  const behind = Buffer.from(answer.slice(end + 4));
  const length = Number(headers['content-length'] ?? behind.length);
  const body = behind.subarray(0, length).toString();
  return {
    status: Number(line.split(' ')[1]),
    headers,
    body: body.startsWith('{') ? JSON.parse(body) : {},
    rest: behind.subarray(length).toString(),
    ms: performance.now() - started,
  };
}
