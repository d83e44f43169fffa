import type { Plugin } from 'esbuild';

/** So that asking esbuild for the path does not ask this plugin again. */
const ASKED = Symbol('asked');

/**
 * Libraries ask for packages that one may install beside them (`class-validator`, `mqtt`) at the moment they want them. Those
 * that are not installed are still asked for then, and missed as before. A missing `import` of the service itself is an error.
 */
export const optionalPackages: Plugin = {
  name: 'optional-packages',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (pluginData === ASKED || kind === 'entry-point' || kind === 'import-statement') return undefined;
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: ASKED });
      return found.errors.length > 0 ? { path, external: true } : found;
    });
  },
};
