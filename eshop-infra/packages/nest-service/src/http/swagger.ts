import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { swaggerAssets, swaggerAssetsDirectory } from './swagger-assets.js';

export interface SwaggerInfo {
  readonly title: string;
  readonly version: string;
}

/** The document at /apis/swagger.json, made when first asked for, and its page at /apis/swagger/index.html. */
export function useSwagger(app: INestApplication, fastify: FastifyInstance, info: SwaggerInfo): void {
  let document: string | undefined;
  const json = () => {
    const settings = new DocumentBuilder().setTitle(info.title).setVersion(info.version).addServer('/').build();
    document ??= JSON.stringify(SwaggerModule.createDocument(app, settings));
    return document;
  };
  for (const url of ['/apis/swagger.json', '/apis/swagger/doc.json']) {
    fastify.get(url, (_request, reply) => reply.type('application/json; charset=utf-8').send(json()));
  }
  fastify.get('/apis/swagger', (_request, reply) => reply.redirect('/apis/swagger/index.html'));
  fastify.get('/apis/swagger/', (_request, reply) => reply.redirect('/apis/swagger/index.html'));
  fastify.get('/apis/swagger/index.html', (_request, reply) => reply.type('text/html; charset=utf-8').send(page(info)));
  const directory = swaggerAssetsDirectory();
  for (const [name, type] of Object.entries(swaggerAssets)) {
    fastify.get(`/apis/swagger/${name}`, (_request, reply) =>
      reply
        .type(type)
        .header('cache-control', 'max-age=86400')
        .send(createReadStream(join(directory, name))),
    );
  }
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
<script>SwaggerUIBundle({ url: '../swagger.json', dom_id: '#swagger-ui', deepLinking: true });</script>
</body>
</html>
`;
}
