/**
 * Puts a lost counter back from the books, closed to buyers.
 *
 * KEYS sale, units, users.
 * ARGV sale id, version, units left, units sold before, limit, opens, closes (ms), then user id and units of each buyer.
 * Returns 0 when the sale is not lost.
 */
export const REBUILD_SALE = `local sale = redis.call('HMGET', KEYS[1], 'saleID', 'status')
if sale[1] == ARGV[1] and sale[2] ~= '3' then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'saleID', ARGV[1], 'version', ARGV[2], 'status', 3, 'left', ARGV[3], 'sold', ARGV[4],
  'limit', ARGV[5], 'opens', ARGV[6], 'closes', ARGV[7])
for i = 8, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
return 1`;

/**
 * Opens a counter that was put back, if the books still say the same.
 *
 * KEYS sale. ARGV sale id, version, units left. Returns 1 when the sale is open.
 */
export const OPEN_REBUILT_SALE = `local sale = redis.call('HMGET', KEYS[1], 'saleID', 'version', 'status', 'left')
if sale[1] ~= ARGV[1] or sale[2] ~= ARGV[2] then return 0 end
if sale[3] == '1' then return 1 end
if sale[3] ~= '3' or sale[4] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'status', 1)
return 1`;
