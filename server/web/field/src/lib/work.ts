// What is to be done, in the order in which it falls due. Pure.

import { current, dueStanding, isDue, nextDue, type Due, type DueStanding } from '../../../src/lib/due';
import type { Deadline, Fault, Line, Matter, Work } from './types';

/** A promise as the board's own reckoning takes it. */
export function asDue({ kind, due_at, state, remaining_ms, started_at, open }: Deadline): Due {
  return { kind, period: '', started_at, due_at, state, remaining_ms, met_at: open ? null : due_at };
}

/** What is still owed, first what falls due first. */
export function owed(deadlines: readonly Deadline[]): Due[] {
  return current(deadlines.map(asDue))
    .filter(isDue)
    .sort((a, b) => Date.parse(a.due_at) - Date.parse(b.due_at));
}

/** The promise that is shown of something, and how it stands. */
export function pressing(
  deadlines: readonly Deadline[],
  nowMs: number,
): { kind: string; standing: DueStanding } | null {
  const due = nextDue(deadlines.map(asDue));
  const standing = due && dueStanding(due, nowMs);
  return due && standing ? { kind: due.kind, standing } : null;
}

/** First what falls due first; what stands still, or owes nothing, behind it. */
export function ordered<T extends { deadlines: Deadline[] }>(items: readonly T[]): T[] {
  const place = ({ deadlines }: T) => {
    const due = nextDue(deadlines.map(asDue));
    if (!due) return Infinity;
    return due.state === 'paused' ? Number.MAX_VALUE : Date.parse(due.due_at);
  };
  const placed = items.map((item) => ({ item, at: place(item) }));
  return placed.sort((a, b) => (a.at === b.at ? 0 : a.at - b.at)).map(({ item }) => item);
}

const OVER = ['closed', 'closed_unconfirmed', 'withdrawn', 'cancelled'];
export const isLive = ({ state }: { state: string }) => !OVER.includes(state);

/** What is wrong first, and what is not known before what is well. */
const STATE_ORDER = ['down', 'degraded', 'unknown', 'up'];
export const byState = (a: Line, b: Line) =>
  STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) || a.code.localeCompare(b.code);

export const faultOf = (work: Work | null, id: string | null): Fault | null =>
  work?.faults.find((fault) => fault.id === id) ?? null;
export const matterOf = (work: Work | null, id: string | null): Matter | null =>
  work?.matters.find((matter) => matter.id === id) ?? null;
export const lineOf = (work: Work | null, code: string | null): Line | null =>
  work?.lines.find((line) => line.code === code) ?? null;

/** Rounds are made by a visit report. */
export const isRound = ({ kind }: Pick<Matter, 'kind'>) => kind === 'visit' || kind === 'patrol';
