import { isUtf8 } from 'node:buffer';
import { ContractError } from '@eshop/proto';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const JSON_TYPES = /^application\/(?:[\w.+-]+\+)?json(?:$|[;\s])/i;
/** JSON is UTF-8; a client that says something else would have its text misread. */
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;
const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** Accepts JSON bodies and nothing else, as they are; an empty body is no body. A byte order mark before the JSON is passed over. */
export function useJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const charset = CHARSET.exec(request.headers['content-type'] ?? '')?.[1];
    if (charset !== undefined && !CHARSETS.has(charset.toLowerCase())) {
      return done(new ContractError('UNSUPPORTED_MEDIA_TYPE', 'JSON is UTF-8; another charset is not read'));
    }
    if (body.length === 0) return done(null, undefined);
    if (!isUtf8(body)) return done(new ContractError('MALFORMED_BODY', 'the body is not UTF-8'));
    const start = body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
    try {
      done(null, JSON.parse(body.toString('utf8', start)));
    } catch {
      done(new ContractError('MALFORMED_BODY', 'the body is not JSON'));
    }
  });
  // Before the body is read, and where errors are answered with the envelope.
  fastify.addHook('preParsing', (request, reply, _payload, done) => {
    if (request.is404 || !hasBody(request)) return done();
    if (!isChunkedOnly(request.headers['transfer-encoding'])) {
      return done(new ContractError('UNIMPLEMENTED', 'of the transfer codings only chunked is read'));
    }
    if (isIdentity(request.headers['content-encoding'])) return done();
    reply.header('accept-encoding', 'identity');
    done(new ContractError('UNSUPPORTED_MEDIA_TYPE', 'a compressed body is not read'));
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isChunkedOnly(codings = 'chunked'): boolean {
  return codings.trim().toLowerCase() === 'chunked';
}

function isIdentity(codings = ''): boolean {
  return codings.split(',').every((coding) => /^\s*(?:identity)?\s*$/i.test(coding));
}
