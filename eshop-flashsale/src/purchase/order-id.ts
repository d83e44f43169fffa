import { randomInt } from 'node:crypto';

/**
 * A new order id: 26 digits, UTC yyyyMMddHHmmss, six digits of microseconds, six random ones, as the order service makes them.
 * The fixed length keeps one id from being the prefix of another.
 */
export function newOrderID(nowMs = performance.timeOrigin + performance.now()): string {
  const seconds = new Date(nowMs).toISOString().slice(0, 19).replace(/\D/g, '');
  const micros = Math.floor((nowMs % 1000) * 1000);
  return `${seconds}${String(micros).padStart(6, '0')}${String(randomInt(1_000_000)).padStart(6, '0')}`;
}
