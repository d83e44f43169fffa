/**
 * The unit of an order goes back into the sale. Needs no barrier: the order stands among the units, or it does not any more.
 *
 * KEYS sale, units, users. ARGV sale id, order id. Returns 1 when a unit went back.
 * When the sale has ended the unit is ordinary stock already.
 */
export const RETURN_UNIT = `local sale = redis.call('HMGET', KEYS[1], 'saleID', 'status')
if sale[1] ~= ARGV[1] then return 0 end
local user = redis.call('HGET', KEYS[2], ARGV[2])
if not user then return 0 end
redis.call('HDEL', KEYS[2], ARGV[2])
if redis.call('HINCRBY', KEYS[3], user, -1) < 1 then redis.call('HDEL', KEYS[3], user) end
if sale[2] ~= '2' then redis.call('HINCRBY', KEYS[1], 'left', 1) end
return 1`;
