import type { RedisScript } from './redis-script.js';

const ADJUST = `local amount = redis.call('GET', KEYS[1])
if not amount then
  if op == 'compensate' or op == 'cancel' or op == 'rollback' then return nil end
  return refuse('there is no ' .. KEYS[1])
end
if tonumber(amount) + tonumber(ARGV[1]) < 0 then return refuse('not enough of ' .. KEYS[1]) end
return redis.call('INCRBY', KEYS[1], ARGV[1])`;

/**
 * Adds `delta` to the whole number at `key`, which may not become negative; resolves with the new number. Refused when there is
 * too little, or no such key. A compensation of a key that is gone has nothing to give back and ends well.
 */
export function adjustAmount(key: string, delta: number): RedisScript {
  return { keys: [key], args: [delta], script: ADJUST };
}
