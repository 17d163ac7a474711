// An account manager's diary, by days of the reader.

import { dayOf } from '../../lib/format';

export interface DiaryEntry {
  at: string;
  kind: 'visit' | 'visit_report' | 'feedback' | 'callback';
  state: 'planned' | 'made';
  customer: string;
  planned_at: string | null;
  by: string;
  reached: boolean | null;
  about: string;
}

export interface Diary {
  entries: DiaryEntry[];
  /** Whether there are more than fit. */
  cut: boolean;
}

export interface Day {
  dayMs: number;
  entries: DiaryEntry[];
}

const DAYS = 7;

/** Monday of the week that a moment falls in, so many weeks later. */
export function weekOf(ms: number, later: number): Date {
  const day = new Date(dayOf(ms));
  const sinceMonday = (day.getDay() + 6) % 7;
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - sinceMonday + later * DAYS);
}

/** The days of a week, those without entries too. */
export function daysOf(monday: Date, entries: readonly DiaryEntry[]): Day[] {
  return Array.from({ length: DAYS }, (_, i) => {
    const dayMs = new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + i).getTime();
    return { dayMs, entries: entries.filter(({ at }) => dayOf(Date.parse(at)) === dayMs) };
  });
}
