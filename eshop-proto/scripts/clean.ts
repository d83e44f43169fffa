// Removes the directories named, which are below the repository.
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';

for (const name of process.argv.slice(2))
  rmSync(resolve(import.meta.dirname, '..', name), { recursive: true, force: true });
