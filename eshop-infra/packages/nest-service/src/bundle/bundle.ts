import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { BUNDLED_ASSETS, swaggerAssets, swaggerAssetsDirectory } from '../http/swagger-assets.js';
import { nestRequire } from './nest-require.js';
import { optionalPackages } from './optional-packages.js';
import { typeormDrivers } from './typeorm-drivers.js';

/**
 * esbuild writes the name of each function and class anew, since it may have changed it. Most of these are functions made again and
 * again while a service works, for which an own property costs 3 % of a busy service's time, and nobody asks for their names. What is
 * asked for: the names of classes, and a closure called `type`, by which Nest's Swagger knows a lazy type.
 */
const NAME_ALWAYS = '__name=(target,value)=>__defProp(';
const NAME_ASKED_FOR = "__name=(target,value)=>value>='['&&value!=='type'||target.name===value?target:__defProp(";

export interface Bundle {
  /** Size of the script. */
  readonly bytes: number;
}

/**
 * Makes one file of a compiled service and of everything that it imports, in the place of `entry`, and removes what else is in
 * that directory. Beside it lie a source map, the licences' texts and the files of Swagger UI; node_modules are not needed to run it.
 * The source text of 1500 modules is the larger part of a
 * service's heap, and most of it is never run; one file without it also starts in half the time.
 *
 * The compiler has run before: decorators' metadata and the names of classes stay, since they mean something to Nest and TypeORM.
 * @throws when something that is imported cannot be found
 */
export async function bundle(entry: string): Promise<Bundle> {
  const file = resolve(entry);
  const { outputFiles } = await build({
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    keepNames: true,
    minifyWhitespace: true,
    lineLimit: 160,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'external',
    logLevel: 'warning',
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
    },
    plugins: [nestRequire, typeormDrivers, optionalPackages],
  });
  const directory = dirname(file);
  rmSync(directory, { recursive: true });
  mkdirSync(join(directory, BUNDLED_ASSETS), { recursive: true });
  for (const name of Object.keys(swaggerAssets)) {
    copyFileSync(join(swaggerAssetsDirectory(), name), join(directory, BUNDLED_ASSETS, name));
  }
  let bytes = 0;
  for (const { path, text } of outputFiles) {
    const content = path === file ? plain(text) : text;
    if (path === file) bytes = content.length;
    writeFileSync(path, content);
  }
  return { bytes };
}

/**
 * The script in ASCII (esbuild leaves regular expressions as they are), without own names where they say nothing new: Node keeps a long
 * script that is not ASCII in two bytes for each character.
 */
function plain(script: string): string {
  const named = script.replace(NAME_ALWAYS, NAME_ASKED_FOR);
  if (named === script) throw new Error('this esbuild keeps names in another way than this was written for');
  return named.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
