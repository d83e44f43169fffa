import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { git } from '../git.ts';

/** A directory of a spec's own with git repositories in it. */
export class Scratch {
  readonly root = mkdtempSync(join(tmpdir(), 'eshop-split-'));

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  async repository(name: string): Promise<string> {
    const directory = this.path(name);
    mkdirSync(directory, { recursive: true });
    await git(directory, ['init', '--quiet', '--initial-branch=main']);
    await this.identity(directory);
    return directory;
  }

  async identity(directory: string): Promise<void> {
    await git(directory, ['config', 'user.name', 'Ann Author']);
    await git(directory, ['config', 'user.email', 'ann@example.com']);
  }

  /** Writes files (undefined removes one) and commits them; returns the commit. */
  async commit(directory: string, message: string, files: Record<string, string | undefined>): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      const file = join(directory, path);
      if (text === undefined) rmSync(file);
      else {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    }
    await git(directory, ['add', '--all']);
    await git(directory, ['commit', '--quiet', '--message', message]);
    return git(directory, ['rev-parse', 'HEAD']);
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}
