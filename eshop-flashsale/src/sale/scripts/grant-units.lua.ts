/**
 * Last step of a change, which the books of stock have already: units come, terms and status are set. Never refuses.
 *
 * KEYS sale, units, users.
 * ARGV sale id, version, units, units withdrawn in the same change, limit, opens, closes (ms), status, 1 for a sale that begins,
 * gid of the change.
 *
 * A sale that begins takes the place of whatever there is. Any other change wants the counter of its sale as the change before
 * left it: a counter that is gone stays gone, since its units come back from the books when it is rebuilt, and one rebuilt from
 * books that have this change has it too. In a counter rebuilt from older books no units are withdrawn yet. What another change
 * has withdrawn stays withdrawn until that one is called off.
 */
export const GRANT_UNITS = `local sale = redis.call('HMGET', KEYS[1], 'saleID', 'version', 'status', 'withdrawing')
local terms = {'version', ARGV[2], 'limit', ARGV[5], 'opens', ARGV[6], 'closes', ARGV[7]}
if ARGV[9] == '1' then
  if sale[1] == ARGV[1] then return 0 end
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[1], 'saleID', ARGV[1], 'status', ARGV[8], 'left', ARGV[3], 'sold', 0, unpack(terms))
  return 1
end
if sale[1] ~= ARGV[1] or tonumber(sale[2]) ~= tonumber(ARGV[2]) - 1 then return 0 end
local units = tonumber(ARGV[3])
if sale[4] == ARGV[10] then
  redis.call('HDEL', KEYS[1], 'withdrawing')
else
  units = units - tonumber(ARGV[4])
end
local status = ARGV[8]
if sale[3] == '3' and status == '1' then status = '3' end
redis.call('HINCRBY', KEYS[1], 'left', units)
redis.call('HSET', KEYS[1], 'status', status, unpack(terms))
return 1`;
