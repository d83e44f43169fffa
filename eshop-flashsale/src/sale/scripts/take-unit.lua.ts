/**
 * A buyer takes one unit: the local step of a purchase's message.
 *
 * KEYS sale, units, users. ARGV order id, user id, sale id, the service's time in ms.
 * Refuses with the name of a code. Looks at everything again: what was read before may have changed since.
 */
export const TAKE_UNIT = `local sale = redis.call('HMGET', KEYS[1], 'saleID', 'status', 'left', 'limit', 'opens', 'closes')
local now, closes = tonumber(ARGV[4]), tonumber(sale[6] or 0)
if sale[1] ~= ARGV[3] or sale[2] ~= '1' or now < tonumber(sale[5]) or (closes > 0 and now >= closes) then
  return refuse('FLASH_SALE_NOT_OPEN')
end
if tonumber(sale[3]) < 1 then return refuse('FLASH_SALE_SOLD_OUT') end
local limit = tonumber(sale[4])
if limit > 0 and tonumber(redis.call('HGET', KEYS[3], ARGV[2]) or 0) >= limit then
  return refuse('FLASH_SALE_LIMIT_REACHED')
end
redis.call('HINCRBY', KEYS[1], 'left', -1)
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[3], ARGV[2], 1)
return 1`;
