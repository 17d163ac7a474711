// A key customer's plan of the year: its shapes, how far it is, and what the server refuses of it. Pure.

import { ApiError } from '../../lib/api';
import { explain } from '../../lib/errors';
import type { Locale } from '../../lib/format';
import { planWords } from './plan-words';

export interface Measure {
  n: number;
  what: string;
  by: string;
  /** As it was put off. */
  due_at: string | null;
  owner: string;
  /** `planned` until it is promised, then the state of its promise. */
  state: string;
  done_at: string | null;
  opens_at: string | null;
  /** Its promise. */
  matter: string | null;
}

export interface Plan {
  id: string;
  customer: string;
  year: number;
  state: 'proposed' | 'approved';
  goals: string;
  review_at: string | null;
  written_by: string;
  written_at: string;
  approved_by: string | null;
  approved_at: string | null;
  measures: Measure[];
}

/** A customer who should have a plan of the year, and has none that is approved. */
export interface NoPlan {
  customer: string;
  name: string;
  manager: string;
  tier: string;
  state: 'missing' | 'proposed';
  due_at: string;
  overdue: boolean;
}

export type MeasureStanding = 'done' | 'late' | 'dropped' | 'promised' | 'planned';

const DONE: readonly string[] = ['resolved', 'closed', 'closed_unconfirmed'];

/** How a measure stands: `late` where its day has passed and it is not done. */
export function standingOf({ state, by, due_at }: Measure, nowMs: number): MeasureStanding {
  if (DONE.includes(state)) return 'done';
  if (state === 'cancelled') return 'dropped';
  if (Date.parse(due_at ?? by) <= nowMs) return 'late';
  return state === 'planned' ? 'planned' : 'promised';
}

/** What was dropped is not counted. */
export function progressOf(measures: readonly Measure[], nowMs: number) {
  const standings = measures.map((measure) => standingOf(measure, nowMs));
  const of = (wanted: MeasureStanding) => standings.filter((standing) => standing === wanted).length;
  return { done: of('done'), late: of('late'), all: measures.length - of('dropped') };
}

/** A measure as it is being written; `kept` where it is promised and stays as it is. */
export interface Draft {
  key: number;
  what: string;
  /** The day, as a date field has it. */
  day: string;
  owner: string;
  /** The moment that the day stands for, where nobody changed it. */
  was: { day: string; by: string } | null;
  kept: boolean;
}

const two = (n: number) => String(n).padStart(2, '0');

/** The value of a date field that shows the reader's day of a moment. */
export function dayInput(time: string): string {
  const at = new Date(time);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export function draftOf({ n, what, by, owner, matter }: Measure): Draft {
  const day = dayInput(by);
  return { key: n, what, day, owner, was: { day, by }, kept: matter !== null };
}

/** By the end of the day; the very moment as before where the day is. */
export function byOf({ day, was }: Draft): string | null {
  if (was?.day === day) return was.by;
  const end = new Date(`${day}T23:59:00`);
  return Number.isNaN(end.getTime()) ? null : end.toISOString();
}

type Say = (t: (typeof planWords)['en']['refused'], part: string) => string;

const KNOWN: readonly [RegExp, Say][] = [
  [/has written the plan: somebody else approves it$/, (t) => t.own],
  [/^the plan for \d+ is approved already$/, (t) => t.approved],
  [/^the day of "(.+)" has passed: write the plan anew$/, (t, what) => t.passed(what)],
  [/^measure "(.+)" is promised already/, (t, what) => t.promised(what)],
  [/^"(.+)" stands there twice$/, (t, what) => t.twice(what)],
  [/^"(.+)" is due outside of the year/, (t, what) => t.outside(what)],
  [/^"(.+)" is due at a time that has passed$/, (t, what) => t.past(what)],
  [/has no account manager: name who answers for "(.+)"$/, (t, what) => t.noOwner(what)],
  [/^no pack in force for the customer has \[plans\]$/, (t) => t.noRules],
  [/^is (\d{4}) or \d{4}$/, (t, year) => t.year(year)],
];

/** Why the server refused, in the reader's words. */
export function planRefusal(error: unknown, locale: Locale): string {
  if (error instanceof ApiError) {
    for (const [pattern, say] of KNOWN) {
      const found = pattern.exec(error.detail);
      if (found) return say(planWords[locale].refused, found[1] ?? '');
    }
  }
  return explain(error, locale);
}
