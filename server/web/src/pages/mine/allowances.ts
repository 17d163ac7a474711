// How long lines may be without service: what is used up, and what an outage is using up now. Pure.

import type { Row } from '../../lib/rows';
import { interruptionMs } from '../../lib/deadline';

/** A line's promise, as `GET /deadlines` has it. */
export interface LinePromise {
  kind: string;
  line: string;
  customer: string;
  started_at: string;
  due_at: string;
  state: string;
}

export interface LineAllowance extends LinePromise {
  isUsedUp: boolean;
  /** An outage of it goes on. */
  isRunning: boolean;
  /** Of this year's interruption, where the line's fault is on the board. */
  usedMs: number | null;
  limitMs: number | null;
}

/** Those of these customers: what is used up, the latest first, below what an outage uses up next. */
export function allowancesOf(
  promises: readonly LinePromise[],
  customers: ReadonlySet<string>,
  rows: readonly Row[],
  nowMs: number,
): LineAllowance[] {
  const due = ({ due_at }: LinePromise) => Date.parse(due_at);
  return promises
    .filter(({ customer, due_at }) => customers.has(customer) && isOfThisYear(due_at, nowMs))
    .map((promise) => withFigures(promise, rows, nowMs))
    .filter(({ isUsedUp, isRunning }) => isUsedUp || isRunning)
    .sort((a, b) => {
      if (a.isUsedUp !== b.isUsedUp) return Number(a.isUsedUp) - Number(b.isUsedUp);
      return a.isUsedUp ? due(b) - due(a) : due(a) - due(b);
    });
}

/** What was missed in earlier years is for reports. */
const isOfThisYear = (due_at: string, nowMs: number) =>
  new Date(due_at).getFullYear() >= new Date(nowMs).getFullYear();

function withFigures(promise: LinePromise, rows: readonly Row[], nowMs: number): LineAllowance {
  const entry = rows.find(({ fault }) => fault.line === promise.line)?.entry;
  const figure = promise.kind === 'interruption' ? entry?.fault.interruption : null;
  return {
    ...promise,
    isUsedUp: promise.state === 'missed',
    isRunning: entry?.fault.interruption?.running ?? entry?.fault.line_state === 'down',
    usedMs: entry && figure ? interruptionMs(entry.fault, entry.seenAtMs, nowMs) : null,
    limitMs: figure?.limit_ms ?? null,
  };
}
