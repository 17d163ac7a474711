// How a promise stands at a moment: what is left of it, and how urgent that is. Pure.

import type { Deadline, DeadlineKind, Fault, Mark } from './types';

export const KINDS: readonly DeadlineKind[] = ['restoration', 'feedback', 'repair', 'callback'];

/** From calm to alarming. `none`: nothing is owed. */
export type Urgency = 'none' | 'met' | 'paused' | 'calm' | 'slipping' | 'missed';

/** The share of the allowance that is left when a promise begins to slip (the 80 % mark). */
const SLIPPING_LEFT_SHARE = 0.2;

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

/** How a promise stands, and from when to before when it does. */
export interface Standing {
  urgency: Urgency;
  sinceMs: number;
  untilMs: number;
}

/** Where nothing changes by the passing of time. */
const always = (urgency: Urgency): Standing => ({ urgency, sinceMs: -Infinity, untilMs: Infinity });
export const NOTHING_OWED = always('none');
const STANDS_STILL = always('paused');

/** How an owed promise stands at a moment; missed is what is past its due time, not what is at it. */
export function standing(fault: Fault, kind: DeadlineKind, nowMs: number, mark?: Mark): Standing {
  const deadline = fault[kind];
  if (!isOwed(deadline)) return NOTHING_OWED;
  if (deadline.state === 'paused') return STANDS_STILL;
  const missedMs = dueMsOf(deadline) + 1;
  if (nowMs >= missedMs) return { urgency: 'missed', sinceMs: missedMs, untilMs: Infinity };
  const slipsMs = slipsAtMs(fault, kind, deadline, mark);
  if (nowMs >= slipsMs) return { urgency: 'slipping', sinceMs: slipsMs, untilMs: missedMs };
  return { urgency: 'calm', sinceMs: -Infinity, untilMs: slipsMs };
}

/** When a running promise begins to slip: the server's word for it counts as well. */
function slipsAtMs(fault: Fault, kind: DeadlineKind, deadline: Deadline, mark: Mark | undefined): number {
  if (mark === 'warn_80') return -Infinity;
  const allowance = allowanceMs(fault, kind);
  const left = allowance === null ? SLIPPING_LEFT_MS[kind] : allowance * SLIPPING_LEFT_SHARE;
  return dueMsOf(deadline) - left;
}

/**
 * What is owed of a fault, most urgent first: what runs by its due time, then what stands still by what is left of it.
 * Time does not change that order.
 */
export function owedKinds(fault: Fault): DeadlineKind[] {
  const kinds = KINDS.filter((kind) => isOwed(fault[kind]));
  if (kinds.length < 2) return kinds;
  const paused = (kind: DeadlineKind) => Number(fault[kind]!.state === 'paused');
  return kinds.sort((a, b) => paused(a) - paused(b) || placeMs(fault, a) - placeMs(fault, b));
}

/** What owed promises are sorted by among those that run, and among those that stand still. */
export function placeMs(fault: Fault, kind: DeadlineKind): number {
  const deadline = fault[kind]!;
  return deadline.state === 'paused' ? deadline.remaining_ms : dueMsOf(deadline);
}

export function owed(fault: Fault, kind: DeadlineKind, nowMs: number, mark?: Mark): Owed | null {
  const deadline = fault[kind];
  if (!isOwed(deadline)) return null;
  const dueMs = dueMsOf(deadline);
  const leftMs = deadline.state === 'paused' ? deadline.remaining_ms : dueMs - nowMs;
  const allowance = allowanceMs(fault, kind);
  const used = allowance === null ? null : Math.min(1, Math.max(0, 1 - leftMs / allowance));
  return { kind, deadline, dueMs, leftMs, used, urgency: standing(fault, kind, nowMs, mark).urgency };
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
