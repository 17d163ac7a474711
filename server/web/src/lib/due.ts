// How a promise of any kind stands at a moment: what is left of it, and how urgent that is. Pure.

import type { Urgency } from './deadline';
import type { DeadlineState } from './types';

/** A dated promise, as faults, matters and rounds have them. */
export interface Due {
  kind: string;
  period: string;
  started_at: string;
  due_at: string;
  state: DeadlineState;
  met_at: string | null;
  /** What is left while it is open; it stands still while paused. */
  remaining_ms: number | null;
}

export interface DueStanding {
  dueMs: number;
  leftMs: number;
  /** How much of the allowance is used, 0 to 1. */
  used: number;
  urgency: Urgency;
}

/** The share of the allowance after which a promise is about to slip. */
const SLIPPING_SHARE = 0.8;

/** Whether somebody still owes the work: a missed promise is owed until it is met late. */
export function isDue({ state, met_at }: Due): boolean {
  return state === 'running' || state === 'paused' || (state === 'missed' && met_at === null);
}

/** How an owed promise stands; null where nothing is owed any more. */
export function dueStanding(due: Due, nowMs: number): DueStanding | null {
  if (!isDue(due)) return null;
  const dueMs = Date.parse(due.due_at);
  const paused = due.state === 'paused';
  const leftMs = paused ? (due.remaining_ms ?? 0) : dueMs - nowMs;
  const allowanceMs = dueMs - Date.parse(due.started_at);
  const used = allowanceMs > 0 ? Math.min(1, Math.max(0, 1 - leftMs / allowanceMs)) : 1;
  return { dueMs, leftMs, used, urgency: urgencyOf(paused, leftMs, used) };
}

function urgencyOf(paused: boolean, leftMs: number, used: number): Urgency {
  if (paused) return 'paused';
  if (leftMs < 0) return 'missed';
  return used >= SLIPPING_SHARE ? 'slipping' : 'calm';
}

/** Of each kind the promise that was begun last: periods that passed before are on record, and owed no more. */
export function current<T extends Due>(deadlines: readonly T[]): T[] {
  const isLast = (due: T) =>
    !deadlines.some((other) => other !== due && other.kind === due.kind && isBehind(other, due));
  return deadlines.filter(isLast);
}

const isBehind = (a: Due, b: Due) =>
  a.started_at > b.started_at || (a.started_at === b.started_at && a.due_at > b.due_at);

/** The owed promise that falls due first. */
export function nextDue<T extends Due>(deadlines: readonly T[]): T | null {
  const owed = current(deadlines).filter(isDue);
  return owed.sort((a, b) => Date.parse(a.due_at) - Date.parse(b.due_at))[0] ?? null;
}
