import { isUtf8 } from 'node:buffer';
import { ContractError } from '@eshop/proto';
import type { FastifyInstance } from 'fastify';

/** Accepts JSON bodies and nothing else; an empty body is no body. */
export function useJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    /^application\/(?:[\w.+-]+\+)?json(?:$|[;\s])/i,
    { parseAs: 'buffer' },
    (_request, body: Buffer, done) => {
      if (body.length === 0) return done(null, undefined);
      if (!isUtf8(body)) return done(new ContractError('MALFORMED_BODY', 'the body is not UTF-8'));
      try {
        done(null, JSON.parse(body.toString('utf8')));
      } catch {
        done(new ContractError('MALFORMED_BODY', 'the body is not JSON'));
      }
    },
  );
}
