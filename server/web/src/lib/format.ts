// Durations and dates in the reader's form. The reader's time zone and language decide only how a
// moment is written, never what is counted.

export type Locale = 'en' | 'zh';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DAY_UNIT: Record<Locale, string> = { en: 'd ', zh: '天 ' };
const LOCALE_TAG: Record<Locale, string> = { en: 'en-GB', zh: 'zh-CN' };

const two = (n: number) => String(n).padStart(2, '0');

/**
 * A countdown: `4:05`, `1:04:05`, `2d 03:04:05`; overdue with a minus sign. Rounded so that zero is shown
 * only in the last second before the due time, and -0:01 as soon as it has passed.
 */
export function countdown(leftMs: number, locale: Locale): string {
  const seconds = leftMs < 0 ? Math.ceil(-leftMs / SECOND) : Math.floor(leftMs / SECOND);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${two(minutes)}:${two(seconds % 60)}`;
  const sign = leftMs < 0 ? '−' : '';
  if (days > 0) return `${sign}${days}${DAY_UNIT[locale]}${two(hours)}:${rest}`;
  return hours > 0 ? `${sign}${hours}:${rest}` : `${sign}${minutes}:${two(seconds % 60)}`;
}

/** A length of time in its two largest units: `45 s`, `12 min`, `3 h 05 min`, `2 d 4 h`. */
export function duration(ms: number, locale: Locale): string {
  const whole = Math.max(0, ms);
  const unit = UNITS[locale];
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)}${unit.s}`;
  const minutes = Math.floor(whole / MINUTE) % 60;
  if (whole < HOUR) return `${minutes}${unit.min}`;
  const hours = Math.floor(whole / HOUR);
  if (whole < 2 * DAY)
    return minutes ? `${hours}${unit.h}${unit.gap}${two(minutes)}${unit.min}` : `${hours}${unit.h}`;
  const days = Math.floor(whole / DAY);
  return hours % 24 ? `${days}${unit.d}${unit.gap}${hours % 24}${unit.h}` : `${days}${unit.d}`;
}

const UNITS = {
  en: { s: ' s', min: ' min', h: ' h', d: ' d', gap: ' ' },
  zh: { s: '秒', min: '分', h: '小时', d: '天', gap: '' },
} as const;

/** A round trip: `0.04`, `4.1`, `86` milliseconds. */
export function milliseconds(us: number): string {
  const ms = us / 1000;
  return ms < 1 ? ms.toFixed(2) : ms < 20 ? ms.toFixed(1) : String(Math.round(ms));
}

/** Hours and minutes for a narrow column: `5:18`. */
export function hours(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / MINUTE);
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}`;
}

/** A whole limit, shortest form: `6 h`. */
export function limit(ms: number, locale: Locale): string {
  const figure = ms % HOUR === 0 ? String(ms / HOUR) : hours(ms);
  return figure + UNITS[locale].h;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: Locale, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${name}`;
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(LOCALE_TAG[locale], options)));
  return format;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

/** The time of day with seconds. */
export function clockTime(ms: number, locale: Locale): string {
  return formatter(locale, 'clock', { ...CLOCK, second: '2-digit' }).format(ms);
}

/** The time of day without seconds. */
export function minuteTime(ms: number, locale: Locale): string {
  return formatter(locale, 'minute', CLOCK).format(ms);
}

/** The beginning of the reader's day that a moment falls in. */
export function dayOf(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** The time of day, with the day before it where it is not today's. */
export function moment(ms: number, todayMs: number, locale: Locale): string {
  if (dayOf(ms) === dayOf(todayMs)) return minuteTime(ms, locale);
  if (isFar(ms, todayMs)) return dayName(ms, locale, todayMs);
  return formatter(locale, 'dated', { month: 'short', day: 'numeric', ...CLOCK }).format(ms);
}

/** So far from today, a day without its year is taken for another. */
const FAR_MS = 300 * DAY;
const isFar = (ms: number, todayMs: number) => Math.abs(ms - todayMs) > FAR_MS;

/** The day alone: `25 Nov`; far from today with its year. */
export function dayName(ms: number, locale: Locale, todayMs = ms): string {
  if (isFar(ms, todayMs)) return formatter(locale, 'date', { dateStyle: 'medium' }).format(ms);
  return formatter(locale, 'day', { month: 'short', day: 'numeric' }).format(ms);
}

/** A moment in full, with seconds and zone, for titles. */
export function fullMoment(ms: number, locale: Locale): string {
  const date = formatter(locale, 'date', { dateStyle: 'medium' }).format(ms);
  const zone = formatter(locale, 'zone', { timeZoneName: 'short' })
    .formatToParts(ms)
    .find(({ type }) => type === 'timeZoneName')?.value;
  const sign = locale === 'zh' ? ' ' : ', ';
  return `${date}${sign}${clockTime(ms, locale)} ${zone ?? ''}`.trimEnd();
}

/** The value of a `datetime-local` field that shows the moment in the reader's zone. */
export function toLocalInput(ms: number): string {
  const d = new Date(ms);
  const date = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return `${date}T${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** The moment a `datetime-local` field means, as the API wants it; null for an empty or broken field. */
export function fromLocalInput(value: string): string | null {
  const ms = new Date(value).getTime();
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
