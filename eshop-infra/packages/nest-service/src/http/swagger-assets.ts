import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The files of Swagger UI that the page needs, with their types. */
export const swaggerAssets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** Where they lie beside a bundled service. */
export const BUNDLED_ASSETS = 'swagger-ui';

/** The directory that holds them: the bundle's, else their package's. */
export function swaggerAssetsDirectory(): string {
  const bundled = join(import.meta.dirname, BUNDLED_ASSETS);
  return existsSync(bundled)
    ? bundled
    : dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
