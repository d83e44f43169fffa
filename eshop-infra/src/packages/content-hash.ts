import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Parser, type ReadEntry } from 'tar';

/** The files of a package by path, each with the SHA-256 of its bytes. */
export type Contents = ReadonlyMap<string, string>;

/**
 * Reads a package's tarball. What differs between two packings of the same files (times, owners, modes, compression, order)
 * is left out, so that equal contents mean an equal package.
 */
export async function tarballContents(tarball: string | Uint8Array): Promise<Contents> {
  const files: [string, string][] = [];
  const waits: Promise<void>[] = [];
  const parser = new Parser({
    onReadEntry(entry: ReadEntry) {
      if (entry.type !== 'File') {
        entry.resume();
        return;
      }
      waits.push(
        (async () => {
          const hash = createHash('sha256');
          for await (const chunk of entry) hash.update(chunk as Buffer);
          files.push([entry.path, hash.digest('hex')]);
        })(),
      );
    },
  });
  const source = typeof tarball === 'string' ? createReadStream(tarball) : Readable.from([Buffer.from(tarball)]);
  await pipeline(source, parser as unknown as NodeJS.WritableStream);
  await Promise.all(waits);
  files.sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(files);
}

/** One hash for all files. */
export function contentHash(contents: Contents): string {
  const hash = createHash('sha256');
  for (const [path, digest] of contents) hash.update(`${path}\0${digest}\n`);
  return hash.digest('hex');
}

/** The paths that are in one only, or differ. */
export function differences(a: Contents, b: Contents): string[] {
  const paths = new Set([...a.keys(), ...b.keys()]);
  return [...paths].filter((path) => a.get(path) !== b.get(path)).sort();
}
