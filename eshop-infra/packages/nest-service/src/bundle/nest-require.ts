import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/**
 * Nest, and nest-dtm, load some packages by `createRequire(import.meta.url)('…')`, which esbuild does not follow: `@grpc/grpc-js` would be
 * there twice, once in the bundle and once out of node_modules. A plain `require` says the same to esbuild.
 */
export const nestRequire: Plugin = {
  name: 'nest-require',
  setup(build) {
    build.onLoad({ filter: /[\\/]node_modules[\\/]@(nestjs|eshop)[\\/].*\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes('createRequire(import.meta.url)')) return undefined;
      const contents = text
        .replaceAll('const require = createRequire(import.meta.url);', '')
        .replaceAll('createRequire(import.meta.url)(', 'require(');
      return { contents, loader: 'js' };
    });
  },
};
