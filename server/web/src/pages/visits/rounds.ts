// Rounds of visits and patrols: who owes which, and on which day of a month they fall. Pure.

import { dayOf } from '../../lib/format';
import { isLive, type Matter } from '../../lib/matter';
import { ordered, type MatterRow } from '../matters/list';

export interface OwnersRounds {
  owner: string;
  rows: MatterRow[];
  overdue: number;
}

/** Rounds per owner: whose are most urgent first, each with what slips first on top. */
export function perOwner(rows: readonly MatterRow[]): OwnersRounds[] {
  const groups: OwnersRounds[] = [];
  for (const row of ordered(rows)) {
    let group = groups.find(({ owner }) => owner === row.matter.owner);
    if (!group) groups.push((group = { owner: row.matter.owner, rows: [], overdue: 0 }));
    group.rows.push(row);
    if (row.due?.standing.urgency === 'missed') group.overdue += 1;
  }
  return groups;
}

/** How a round stands, for people who plan: what is to be done next. */
export type Stage = 'owed' | 'planned' | 'review' | 'done' | 'cancelled';

export function stageOf(matter: Matter): Stage {
  if (matter.state === 'cancelled') return 'cancelled';
  if (!isLive(matter)) return 'done';
  if (matter.state === 'resolved') return 'review';
  return matter.planned_at ? 'planned' : 'owed';
}

export interface DayEntry {
  matter: Matter;
  stage: Stage;
  ms: number;
}

/** Where a round stands in the calendar: when it was made, else is planned for, else is due. */
export function entryOf(matter: Matter): DayEntry | null {
  const stage = stageOf(matter);
  if (stage === 'cancelled') return null;
  const due = matter.deadlines.find(({ kind }) => kind === matter.kind);
  const time = matter.resolved_at ?? matter.planned_at ?? due?.due_at;
  return time ? { matter, stage, ms: Date.parse(time) } : null;
}

/** A month's weeks, Monday to Sunday, as the beginnings of days. */
export function weeksOf(month: string): number[][] {
  const first = new Date(`${month}-01T00:00:00`);
  const lead = (first.getDay() + 6) % 7;
  const days = new Date(first.getFullYear(), first.getMonth() + 1, 0).getDate();
  const weeks = Math.ceil((lead + days) / 7);
  const day = (n: number) => new Date(first.getFullYear(), first.getMonth(), n).getTime();
  return Array.from({ length: weeks }, (_, w) =>
    Array.from({ length: 7 }, (_, d) => day(w * 7 + d - lead + 1)),
  );
}

export function monthOf(ms: number): string {
  const day = new Date(ms);
  return `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, '0')}`;
}

export function monthApart(month: string, by: number): string {
  const first = new Date(`${month}-01T00:00:00`);
  return monthOf(new Date(first.getFullYear(), first.getMonth() + by, 1).getTime());
}

/** The entries of each day, in the order of the day. */
export function byDay(entries: readonly DayEntry[]): Map<number, DayEntry[]> {
  const days = new Map<number, DayEntry[]>();
  for (const entry of [...entries].sort((a, b) => a.ms - b.ms)) {
    const day = dayOf(entry.ms);
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return days;
}
