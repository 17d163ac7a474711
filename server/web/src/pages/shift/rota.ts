// A month's shifts: who is on duty, and a first draft made from a pattern. Pure.

import { dayOf, fromLocalInput, toLocalInput } from '../../lib/format';
import type { Shift } from './types';

/** A shift as it is written: local times, as fields show them. */
export interface Draft {
  from: string;
  until: string;
  person: string;
  email: string;
}

export function onDuty(shifts: readonly Shift[], nowMs: number): Shift[] {
  return shifts.filter((shift) => Date.parse(shift.from) <= nowMs && nowMs < Date.parse(shift.until));
}

/** Shifts by the day on which they begin, in order. */
export function byDay(shifts: readonly Shift[]): { day: number; shifts: Shift[] }[] {
  const days: { day: number; shifts: Shift[] }[] = [];
  for (const shift of [...shifts].sort((a, b) => a.from.localeCompare(b.from))) {
    const day = dayOf(Date.parse(shift.from));
    const last = days.at(-1);
    if (last?.day === day) last.shifts.push(shift);
    else days.push({ day, shifts: [shift] });
  }
  return days;
}

export const drafted = (shifts: readonly Shift[]): Draft[] =>
  shifts.map(({ from, until, person, email }) => ({
    from: toLocalInput(Date.parse(from)).slice(0, 16),
    until: toLocalInput(Date.parse(until)).slice(0, 16),
    person,
    email,
  }));

/** The shifts to post; null where a time or a name is missing. */
export function posted(drafts: readonly Draft[]): Shift[] | null {
  const shifts = drafts.map(({ from, until, person, email }) => ({
    from: fromLocalInput(from) ?? '',
    until: fromLocalInput(until) ?? '',
    person: person.trim(),
    email: email.trim(),
  }));
  return shifts.every(({ from, until, person }) => from && until && person) ? shifts : null;
}

const two = (n: number) => String(n).padStart(2, '0');

/**
 * A whole month: each day the same shifts, begun at `starts` (`08:00`), each until the next one begins; the people
 * take turns.
 */
export function fill(month: string, starts: readonly string[], people: readonly string[]): Draft[] {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const days = new Date(year, number, 0).getDate();
  const at = (day: number, time: string) => {
    const date = new Date(year, number - 1, day);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${time}`;
  };
  const sorted = [...starts].sort();
  let turn = 0;
  return Array.from({ length: days }, (_, i) => i + 1).flatMap((day) =>
    sorted.map((start, n) => {
      const next = sorted[n + 1];
      const until = next ? at(day, next) : at(day + 1, sorted[0]!);
      return { from: at(day, start), until, person: people[turn++ % people.length]!, email: '' };
    }),
  );
}

/** `08:00 20:00` as a list; null where a part is no time of day. */
export function timesOf(text: string): string[] | null {
  const parts = text.split(/[\s,，、]+/).filter(Boolean);
  return parts.length && parts.every((part) => /^([01]\d|2[0-3]):[0-5]\d$/.test(part)) ? parts : null;
}

/** Names behind each other, whichever comma parts them. */
export const namesOf = (text: string): string[] =>
  text
    .split(/[,，、\n]+/)
    .map((name) => name.trim())
    .filter(Boolean);
