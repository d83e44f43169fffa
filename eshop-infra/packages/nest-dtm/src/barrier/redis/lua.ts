/**
 * A script under the barrier. The barrier's keys are looked at before the script sees anything: DTM's own Redis barrier looks
 * at the balance first, and so refuses the repeat of a deduction that took the last unit.
 *
 * KEYS: the barrier key of the op; that of the op it takes back, or of the op that takes it back, if there is one; the script's own.
 * ARGV: the op, its role ({@link Role}), the expiry in seconds; the script's own.
 * Answers: `held` and what holds the place, `undone` and why, `null-compensation`, `refused` and why, `done` and the script's value.
 * A refusal is final: it takes both places, as the compensation of nothing does.
 */
export function underBarrier(script: string): string {
  return barrier(script, "return {'held', dtm_held}", 'ARGV[1]', FINAL_REFUSAL);
}

const FINAL_REFUSAL = `if dtm_role == 'undoable' then
      redis.call('SET', KEYS[1], 'refused', 'EX', dtm_expire)
      redis.call('SET', KEYS[2], dtm_value.dtm_refused, 'EX', dtm_expire)
    end`;

/** Of an op: `undoable` by the second key's op, `undoing` that one, `single`: there is no second key. */
export type Role = 'undoable' | 'undoing' | 'single';

/**
 * The same, but the script's value is kept with the mark, and a repeat is answered with `done` and that value. MessagePack keeps
 * whole numbers and bytes as they are, which JSON in Lua does not. A refusal is not remembered: it is the workflow's to decide.
 */
export function underKeepingBarrier(script: string): string {
  const repeat = `local dtm_mark = ARGV[1] .. ' '
  if string.sub(dtm_held, 1, #dtm_mark) ~= dtm_mark then return {'held', dtm_held} end
  return {'done', cmsgpack.unpack(string.sub(dtm_held, #dtm_mark + 1))}`;
  return barrier(script, repeat, "ARGV[1] .. ' ' .. cmsgpack.pack(dtm_value)", '');
}

const LOOK_AT_UNDOING = `if dtm_role == 'undoable' then
  local dtm_undone = redis.call('GET', KEYS[2])
  if dtm_undone then return {'undone', dtm_undone} end
end`;

/**
 * Makes a refusal final that came from the handler, not from its script. KEYS, ARGV and answers as of a script under the barrier, with
 * the reason as the last of ARGV.
 */
export const REFUSE = `local dtm_role, dtm_expire = ARGV[2], ARGV[3]
${LOOK_AT_UNDOING}
local held = redis.call('GET', KEYS[1])
if held then return {'held', held} end
redis.call('SET', KEYS[1], 'refused', 'EX', dtm_expire)
redis.call('SET', KEYS[2], ARGV[4], 'EX', dtm_expire)
return {'refused', ARGV[4]}`;

/** @param repeat what is answered when the place is held @param mark what holds it from now on @param refusal done after one */
function barrier(script: string, repeat: string, mark: string, refusal: string): string {
  return `local dtm_role, dtm_expire = ARGV[2], ARGV[3]
local dtm_count = dtm_role == 'single' and 1 or 2
${LOOK_AT_UNDOING}
local dtm_held = redis.call('GET', KEYS[1])
if dtm_held then
  ${repeat}
end
if dtm_role == 'undoing' and redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', dtm_expire)
  redis.call('SET', KEYS[2], ARGV[1], 'EX', dtm_expire)
  return {'null-compensation'}
end
local dtm_keys, dtm_args = {}, {}
for i = dtm_count + 1, #KEYS do dtm_keys[i - dtm_count] = KEYS[i] end
for i = 4, #ARGV do dtm_args[i - 3] = ARGV[i] end
local function refuse(why) return {dtm_refused = tostring(why)} end
local dtm_value = (function(KEYS, ARGV, op)
${script}
end)(dtm_keys, dtm_args, ARGV[1])
if type(dtm_value) == 'table' then
  if dtm_value.dtm_refused then
    ${refusal}
    return {'refused', dtm_value.dtm_refused}
  end
  if dtm_value.err then return dtm_value end
end
redis.call('SET', KEYS[1], ${mark}, 'EX', dtm_expire)
return {'done', dtm_value}`;
}

/**
 * The back-check. A local step that was not done has its place taken, so that it never will be.
 *
 * KEYS: the barrier key of the local step. ARGV: the expiry in seconds. Answers what holds the place.
 */
export const BACK_CHECK = `local held = redis.call('GET', KEYS[1])
if held then return held end
redis.call('SET', KEYS[1], 'rollback', 'EX', ARGV[1])
return 'rollback'`;

/**
 * Whether a local step took effect and is not taken back; one that did not has its place taken, so that it never will.
 *
 * KEYS: the barrier key of `rollback`, that of the step. ARGV: the expiry in seconds. Answers 1 or 0.
 */
export const TO_TAKE_BACK = `if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
redis.call('SET', KEYS[1], 'rollback', 'EX', ARGV[1])
redis.call('SET', KEYS[2], 'rollback', 'EX', ARGV[1])
return 0`;
