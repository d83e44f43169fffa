import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { swaggerAssets, swaggerAssetsDirectory } from './swagger-assets.js';

export interface SwaggerInfo {
  readonly title: string;
  readonly version: string;
}

/** Where the document is, and the root of the API as seen from there: a client resolves it against the address of the document. */
const DOCUMENTS = [
  { url: '/apis/swagger.json', root: '..' },
  { url: '/apis/swagger/doc.json', root: '../..' },
] as const;

/** The page loads and calls what is here, and runs nothing that stands in it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const INITIALIZER = 'swagger-initializer.js';
const START_PAGE = `SwaggerUIBundle({ url: '../swagger.json', dom_id: '#swagger-ui', deepLinking: true });\n`;

/**
 * The document at /apis/swagger.json, made when first asked for, and its page at /apis/swagger/index.html. All addresses in them
 * are relative, so that they are right behind a proxy that puts the service under a path of its own.
 */
export function useSwagger(app: INestApplication, fastify: FastifyInstance, info: SwaggerInfo): void {
  let rest: string | undefined;
  const documentOf = (root: string) => {
    rest ??= withoutServers(app, info);
    return `{"servers":[${JSON.stringify({ url: root })}],${rest}`;
  };
  for (const { url, root } of DOCUMENTS) {
    fastify.get(url, (request, reply) =>
      reply
        .type('application/json; charset=utf-8')
        .header('vary', 'X-Forwarded-Prefix')
        .send(documentOf(forwardedPrefix(request) ?? root)),
    );
  }
  fastify.get('/apis/swagger', (_request, reply) => reply.redirect('swagger/index.html'));
  fastify.get('/apis/swagger/', (_request, reply) => reply.redirect('index.html'));
  fastify.get('/apis/swagger/index.html', (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', CONTENT_SECURITY_POLICY)
      .header('x-content-type-options', 'nosniff')
      .send(page(info)),
  );
  fastify.get(`/apis/swagger/${INITIALIZER}`, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').header('x-content-type-options', 'nosniff').send(START_PAGE),
  );
  const directory = swaggerAssetsDirectory();
  for (const [name, type] of Object.entries(swaggerAssets)) {
    fastify.get(`/apis/swagger/${name}`, (_request, reply) =>
      reply
        .type(type)
        .header('cache-control', 'max-age=86400')
        .header('x-content-type-options', 'nosniff')
        .send(createReadStream(join(directory, name))),
    );
  }
}

/** The document's text behind its first member, the servers. */
function withoutServers(app: INestApplication, { title, version }: SwaggerInfo): string {
  const settings = new DocumentBuilder().setTitle(title).setVersion(version).build();
  const { servers: _, ...document } = SwaggerModule.createDocument(app, settings);
  return JSON.stringify(document).slice(1);
}

/** One path segment or several, of the characters that RFC 3986 has for them without those of lists and encodings. */
const PREFIX = /^(?:\/[\w.~!$&'()*+;=:@-]{1,128}){1,8}$/;

/** The path under which a proxy says that it shows the service; undefined when it says none, or what is no path. */
function forwardedPrefix({ headers }: FastifyRequest): string | undefined {
  const given = String(headers['x-forwarded-prefix'] ?? '').replace(/\/$/, '');
  const segments = given.split('/');
  return PREFIX.test(given) && !segments.includes('.') && !segments.includes('..') ? given : undefined;
}

function page({ title }: SwaggerInfo): string {
  const escaped = title.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escaped}</title>
<link rel="stylesheet" href="./swagger-ui.css">
<link rel="icon" type="image/png" href="./favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="./swagger-ui-bundle.js"></script>
<script src="./${INITIALIZER}"></script>
</body>
</html>
`;
}
