import { randomUUID } from 'node:crypto';
import { DtmInvalidOption } from './errors.js';

/** DTM's columns hold 128 characters; longer ids are cut silently by an INSERT IGNORE, so they are refused here. */
export const MAX_GID_LENGTH = 128;

/** Printable ASCII: a gid travels as gRPC metadata and in a URL. DTM's HTTP side drops `;`. */
const GID = /^[\x21-\x3a\x3c-\x7e]+$/;

/** A new transaction id. It needs no server: any unique text of at most 128 printable characters will do. */
export function newGid(): string {
  return randomUUID();
}

/** Whether `gid` can be stored and carried unchanged. */
export function isGid(gid: string): boolean {
  return gid.length <= MAX_GID_LENGTH && GID.test(gid);
}

/** Throws {@link DtmInvalidOption} unless `gid` can be stored and carried unchanged. */
export function assertGid(gid: string): void {
  if (typeof gid !== 'string') throw new DtmInvalidOption('gid', `must be a text, is ${typeof gid}`);
  if (gid.length === 0) throw new DtmInvalidOption('gid', 'must not be empty');
  if (gid.length > MAX_GID_LENGTH) {
    throw new DtmInvalidOption('gid', `must have at most ${MAX_GID_LENGTH} characters, has ${gid.length}`);
  }
  if (!GID.test(gid)) throw new DtmInvalidOption('gid', 'must be printable ASCII without spaces and ";"', { gid });
}
