/** The earliest and the latest time that a DATETIME(3) column holds, in UTC: 1000-01-01 and 9999-12-31T23:59:59.999. */
const EARLIEST_MS = -30_610_224_000_000;
const LATEST_MS = 253_402_300_799_999;

const TIME =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:(?<separator>[Tt ])(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.(?<fraction>\d{1,9}))?(?<zone>[Zz]|(?<sign>[+-])(?<offsetHour>\d\d):(?<offsetMinute>\d\d))?)?$/;

/** What a time must look like, to be read after a field's name. */
export const TIME_DESCRIPTION = 'must be a time from the year 1000 to 9999 such as 2026-11-22T17:00:00Z';

/**
 * Reads a time of RFC 3339: the one reader of bodies, filters and records. Digits beyond milliseconds are cut off.
 * Undefined for a day or a time of day that does not exist (a leap second among them, since the database has none), and for a time
 * that in UTC is not one of the years 1000 to 9999: a DATETIME column would make a zero date of it.
 */
export function parseTime(text: string): Date | undefined {
  const parts = TIME.exec(text)?.groups;
  return parts?.zone && parts.separator !== ' ' ? timeOf(parts) : undefined;
}

/**
 * The same for values that people write in the filter of a list, where MySQL's own form may stand too: a blank for the T, a day
 * without a time of day (its first moment), no offset (UTC). Blanks around it do not count.
 */
export function parseFilterTime(text: string): Date | undefined {
  const parts = TIME.exec(text.trim())?.groups;
  return parts && timeOf(parts);
}

/** RFC 3339 in UTC with milliseconds; the empty text for no time, and for what is none (a zero date of the database). */
export function formatTime(time: Date | null | undefined): string {
  const ms = time?.getTime() ?? Number.NaN;
  return ms >= EARLIEST_MS && ms <= LATEST_MS ? new Date(ms).toISOString() : '';
}

function timeOf(parts: Record<string, string | undefined>): Date | undefined {
  const number = (name: string) => Number(parts[name] ?? 0);
  const [year, month, day] = [number('year'), number('month'), number('day')];
  const [hour, minute, second] = [number('hour'), number('minute'), number('second')];
  const [offsetHour, offsetMinute] = [number('offsetHour'), number('offsetMinute')];
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  // Date.UTC would take the years 0 to 99 for those of the last century.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day that does not exist has become one of another month.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute, second, Number((parts.fraction ?? '').padEnd(3, '0').slice(0, 3)));
  const offsetMs = (offsetHour * 60 + offsetMinute) * 60_000 * (parts.sign === '-' ? -1 : 1);
  const ms = date.getTime() - offsetMs;
  return ms >= EARLIEST_MS && ms <= LATEST_MS ? new Date(ms) : undefined;
}
