// A line's outages by the days of a year. Days are those of the zone whose years the rules count in. Pure.

import type { Outage } from '../../lib/line';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export interface Piece {
  fromMs: number;
  toMs: number;
}

/** Outages that overlap or touch become one; what goes on ends now. */
export function union(outages: readonly Outage[], nowMs: number): Piece[] {
  const pieces = outages
    .map(({ from, to }) => ({ fromMs: Date.parse(from), toMs: to ? Date.parse(to) : nowMs }))
    .filter((piece) => piece.toMs > piece.fromMs)
    .sort((a, b) => a.fromMs - b.fromMs);
  const merged: Piece[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if (last && piece.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, piece.toMs);
    else merged.push(piece);
  }
  return merged;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** By how much a zone is ahead of UTC at a moment (ms). */
function offsetMs(zone: string, ms: number): number {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year, month, day, hour, minute, second } = parts as Record<string, number>;
  const local = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!);
  return local - Math.floor(ms / 1000) * 1000;
}

/** The first moment of a zone's day; months count from 0. */
export function dayStart(zone: string, year: number, month: number, day: number): number {
  const asUtc = Date.UTC(year, month, day);
  const guess = asUtc - offsetMs(zone, asUtc);
  return asUtc - offsetMs(zone, guess);
}

export interface Day {
  fromMs: number;
  toMs: number;
  month: number;
  day: number;
  /** Monday is 0. */
  weekday: number;
  /** Which column of the calendar. */
  week: number;
  /** Time without service (ms). */
  ms: number;
  when: 'past' | 'today' | 'future';
}

type Frame = Omit<Day, 'ms' | 'when'>;
const frames = new Map<string, readonly Frame[]>();

/** Every day of a year: where it begins and ends, and its place in the calendar. */
function framesOf(year: number, zone: string): readonly Frame[] {
  const key = `${zone} ${year}`;
  const known = frames.get(key);
  if (known) return known;
  const first = (new Date(Date.UTC(year, 0, 1)).getUTCDay() + 6) % 7;
  const length = (Date.UTC(year + 1, 0, 1) - Date.UTC(year, 0, 1)) / DAY_MS;
  const made = Array.from({ length }, (_, n) => {
    const date = new Date(Date.UTC(year, 0, 1 + n));
    return {
      fromMs: dayStart(zone, year, 0, 1 + n),
      toMs: dayStart(zone, year, 0, 2 + n),
      month: date.getUTCMonth(),
      day: date.getUTCDate(),
      weekday: (first + n) % 7,
      week: Math.floor((first + n) / 7),
    };
  });
  frames.set(key, made);
  return made;
}

/** Every day of a year, with its time without service. */
export function daysOf(year: number, zone: string, outages: readonly Outage[], nowMs: number): Day[] {
  const pieces = union(outages, nowMs);
  return framesOf(year, zone).map((frame) => ({
    ...frame,
    ms: within(pieces, frame.fromMs, frame.toMs),
    when: frame.toMs <= nowMs ? 'past' : frame.fromMs > nowMs ? 'future' : 'today',
  }));
}

function within(pieces: readonly Piece[], fromMs: number, toMs: number): number {
  let ms = 0;
  for (const piece of pieces) {
    ms += Math.max(0, Math.min(piece.toMs, toMs) - Math.max(piece.fromMs, fromMs));
  }
  return ms;
}

/** From how long on a day has which shade; the first is a day without interruption. */
export const LEVELS_MS: readonly number[] = [0, 1, 30 * MINUTE_MS, 120 * MINUTE_MS, 360 * MINUTE_MS];

export function level(ms: number): number {
  return LEVELS_MS.filter((from) => ms >= from).length - 1;
}

/** The year that a moment falls into. */
export function yearOf(zone: string, ms: number): number {
  return new Date(ms + offsetMs(zone, ms)).getUTCFullYear();
}
