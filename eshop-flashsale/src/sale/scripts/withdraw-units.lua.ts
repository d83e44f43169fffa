/**
 * Units that nobody has bought leave the sale: first step of a change. `withdrawing` remembers for which saga, so that only this
 * one puts them back, and a counter that is lost and rebuilt in the middle is put right by its last step. Two changes that were
 * planned on the same books would both withdraw, and one of them be called off: so the second is refused while the first is
 * under way.
 *
 * KEYS sale. ARGV sale id, version of the change, units, gid of the change.
 */
export const WITHDRAW_UNITS = `local sale = redis.call('HMGET', KEYS[1], 'saleID', 'status', 'version', 'left', 'withdrawing')
if sale[1] ~= ARGV[1] or sale[2] ~= '1' then return refuse('the sale does not run') end
if tonumber(sale[3]) ~= tonumber(ARGV[2]) - 1 then return refuse('another change came first') end
if sale[5] then return refuse('another change is under way') end
local units = tonumber(ARGV[3])
if tonumber(sale[4]) < units then return refuse('only ' .. sale[4] .. ' units are left') end
redis.call('HINCRBY', KEYS[1], 'left', -units)
redis.call('HSET', KEYS[1], 'withdrawing', ARGV[4])
return 1`;

/** Takes {@link WITHDRAW_UNITS} back, unless the counter has been rebuilt since. KEYS and ARGV are the same. */
export const PUT_BACK_UNITS = `local sale = redis.call('HMGET', KEYS[1], 'saleID', 'withdrawing')
if sale[1] ~= ARGV[1] or sale[2] ~= ARGV[4] then return 0 end
redis.call('HINCRBY', KEYS[1], 'left', ARGV[3])
redis.call('HDEL', KEYS[1], 'withdrawing')
return 1`;
