import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Development secrets of one instance, made at its first start. Hexadecimal, so that they need no quoting anywhere. */
export interface Secrets {
  mysqlRoot: string;
  /** Signs the branch calls of sagas (HMAC). */
  dtm: string;
  /** The key of all other passwords: one per database user. */
  users: string;
}

const secretsFile = (state: string) => join(state, 'secrets.json');

/** Reads the secrets, or makes them; two processes that come at once get the same ones. */
export function secretsOf(state: string): Secrets {
  const file = secretsFile(state);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const secret = () => randomBytes(24).toString('hex');
  const secrets: Secrets = { mysqlRoot: secret(), dtm: secret(), users: secret() };
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(secrets), { mode: 0o600 });
  try {
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary);
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
}

/** When an instance began, in ms since 1970: its secrets are the first thing it makes. */
export function instanceBegan(state: string): number {
  secretsOf(state);
  return statSync(secretsFile(state)).mtimeMs;
}
