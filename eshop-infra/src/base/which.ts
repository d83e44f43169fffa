import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Where servers live that are not in an ordinary user's PATH. */
const more = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/usr/local/go/bin'];

/** The path of the first of these programs that is installed. */
export function which(...names: string[]): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(':').filter(Boolean), ...more];
  for (const name of names) {
    for (const directory of directories) {
      const file = join(directory, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // next
      }
    }
  }
  return undefined;
}
