// How a promise stands at a moment: what is left of it, and how urgent that is. Pure.

import type { Deadline, DeadlineKind, Fault, Mark } from './types';

export const KINDS: readonly DeadlineKind[] = ['restoration', 'feedback', 'repair', 'callback'];

/** From calm to alarming. `none`: nothing is owed. */
export type Urgency = 'none' | 'met' | 'paused' | 'calm' | 'slipping' | 'missed';

/** The share of the allowance after which a promise is about to slip (the 80 % mark). */
const SLIPPING_SHARE = 0.8;

/** What counts as about to slip where the allowance is not known. */
const SLIPPING_LEFT_MS: Record<DeadlineKind, number> = {
  restoration: 30 * 60_000,
  feedback: 10 * 60_000,
  repair: 4 * 3_600_000,
  callback: 2 * 3_600_000,
};

/** One promise that is still owed. */
export interface Owed {
  kind: DeadlineKind;
  deadline: Deadline;
  dueMs: number;
  /** Milliseconds left, negative when overdue; it stands still while paused. */
  leftMs: number;
  urgency: Urgency;
  /** How much of the allowance is used, 0 to 1; null where the allowance is not known. */
  used: number | null;
}

/** Due times are counted down each second, on every row: they are read once. */
const dues = new WeakMap<Deadline, number>();

function dueMsOf(deadline: Deadline): number {
  let dueMs = dues.get(deadline);
  if (dueMs === undefined) dues.set(deadline, (dueMs = Date.parse(deadline.due_at)));
  return dueMs;
}

const starts = new WeakMap<Fault, number>();

/** When a fault started. */
export function startedMs(fault: Fault): number {
  let ms = starts.get(fault);
  if (ms === undefined) starts.set(fault, (ms = Date.parse(fault.started_at)));
  return ms;
}

/** Whether somebody still owes the work: a missed promise is owed until it is met late. */
export function isOwed(deadline: Deadline | null): deadline is Deadline {
  if (!deadline) return false;
  if (deadline.state === 'missed') return !deadline.met_at;
  return deadline.state === 'running' || deadline.state === 'paused';
}

export function allowanceMs(fault: Fault, kind: DeadlineKind): number | null {
  const deadline = fault[kind];
  if (!deadline) return null;
  if (deadline.allowance_ms) return deadline.allowance_ms;
  if (kind !== 'restoration') return null;
  const whole = dueMsOf(deadline) - startedMs(fault);
  return whole > 0 ? whole : null;
}

export function owed(fault: Fault, kind: DeadlineKind, nowMs: number, mark?: Mark): Owed | null {
  const deadline = fault[kind];
  if (!isOwed(deadline)) return null;
  const dueMs = dueMsOf(deadline);
  const paused = deadline.state === 'paused';
  const leftMs = paused ? deadline.remaining_ms : dueMs - nowMs;
  const allowance = allowanceMs(fault, kind);
  const used = allowance === null ? null : Math.min(1, Math.max(0, 1 - leftMs / allowance));
  return { kind, deadline, dueMs, leftMs, used, urgency: urgency(paused, kind, leftMs, used, mark) };
}

function urgency(
  paused: boolean,
  kind: DeadlineKind,
  leftMs: number,
  used: number | null,
  mark: Mark | undefined,
): Urgency {
  if (paused) return 'paused';
  if (leftMs < 0) return 'missed';
  const close = used === null ? leftMs <= SLIPPING_LEFT_MS[kind] : used >= SLIPPING_SHARE;
  return close || mark === 'warn_80' ? 'slipping' : 'calm';
}

/** A line's yearly interruption at a moment: the server's figure, grown while the outage runs. */
export function interruptionMs(fault: Fault, seenAtMs: number, nowMs: number): number | null {
  const figure = fault.interruption;
  if (!figure) return null;
  const running = figure.running ?? fault.line_state === 'down';
  return running ? figure.ms + Math.max(0, nowMs - seenAtMs) : figure.ms;
}

/** How a yearly figure stands against its limit. */
export function againstLimit(value: number, limit: number | null, warnFrom: number): Urgency {
  if (limit === null) return 'calm';
  if (value >= limit) return 'missed';
  return value >= warnFrom ? 'slipping' : 'calm';
}
