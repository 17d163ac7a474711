// Moments around now, and days of the desk's time zone.

export const ZONE = 'Asia/Shanghai';
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
/** China has had no summer time since 1991. */
const OFFSET = '+08:00';

export const ago = (minutes) => new Date(Date.now() - minutes * MINUTE_MS).toISOString();

/** The day at the desk, so many days from today on: 2026-11-22. */
export const day = (n, now = Date.now()) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE }).format(now + n * DAY_MS);

/** A moment of such a day at the desk. */
export const at = (n, clock) => new Date(`${day(n)}T${clock}:00${OFFSET}`).toISOString();

/** The month at the desk, so many months from this one on: 2026-11. */
export function month(n = 0) {
  const [year, one] = day(0).split('-').map(Number);
  const months = year * 12 + one - 1 + n;
  return `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, '0')}`;
}

/** How many days there are in a month. */
export const lengthOf = (name) => new Date(Number(name.slice(0, 4)), Number(name.slice(5)), 0).getDate();

/** How many days ago a day of the month was that is over; at noon. */
export function daysToLastMonth(now, dayOfMonth) {
  const noon = Date.parse(`${month(-1)}-${String(dayOfMonth).padStart(2, '0')}T12:00:00${OFFSET}`);
  return (now - noon) / DAY_MS;
}

/** The next working day from so many days on, weekends left out. */
export function weekday(n) {
  const isFree = (m) => [0, 6].includes(new Date(`${day(m)}T00:00:00Z`).getUTCDay());
  let m = n;
  while (isFree(m)) m += 1;
  return m;
}

/** The year that a plan is for: near its end there is no time left in this one. */
export const planYear = () => new Date(Date.now() + 14 * 86_400_000).getFullYear();
