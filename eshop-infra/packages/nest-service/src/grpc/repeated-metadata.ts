import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

type StreamHandler = (
  interceptors: readonly unknown[],
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void;

/**
 * Lets metadata that a client sent more than once be seen as several values. Node joins them by commas, so that two keys would
 * look like one; grpc-js takes lists as well, but has no place to ask for what came over the wire.
 */
export function keepRepeatedMetadata(server: Server): void {
  const internal = server as unknown as { _streamHandler?: StreamHandler };
  const handle = internal._streamHandler;
  if (!handle) throw new Error('this grpc-js takes its streams elsewhere');
  internal._streamHandler = (interceptors, stream, headers, flags, rawHeaders) => {
    handle.call(server, interceptors, stream, withLists(headers, rawHeaders), flags, rawHeaders);
  };
}

function withLists(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): IncomingHttpHeaders {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  if (new Set(names).size === names.length) return headers;
  const lines = Map.groupBy(names.keys(), (index) => names[index] ?? '');
  const lists: IncomingHttpHeaders = {};
  for (const [name, indexes] of lines) {
    const values = indexes.map((index) => rawHeaders[2 * index + 1] ?? '');
    // Only what Node has joined; and of binary metadata a comma means several values anyway.
    if (values.length > 1 && headers[name] === values.join(', ') && !name.endsWith('-bin')) lists[name] = values;
  }
  return { ...headers, ...lists };
}
