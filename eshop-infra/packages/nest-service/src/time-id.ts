import { randomInt } from 'node:crypto';

/**
 * A new id that sorts by its time: 26 digits, UTC yyyyMMddHHmmss, six digits of microseconds, six random ones. The fixed length
 * keeps one id from being the prefix of another; it is short enough for a gid of DTM. Two processes can make the same one only
 * in the same microsecond, and then one time in a million: what is stored under it needs a unique key.
 */
export function newTimeID(nowMs = performance.timeOrigin + performance.now()): string {
  const seconds = new Date(nowMs).toISOString().slice(0, 19).replace(/\D/g, '');
  const micros = Math.floor((nowMs % 1000) * 1000);
  return `${seconds}${String(micros).padStart(6, '0')}${String(randomInt(1_000_000)).padStart(6, '0')}`;
}
