// Planned work that is to be in sight: what goes on now, and what begins soon. Pure.

import type { PlannedWork } from './types';

/** So far ahead work is in sight. */
const AHEAD_MS = 24 * 3_600_000;

export interface InSight {
  work: PlannedWork;
  fromMs: number;
  toMs: number;
  isNow: boolean;
}

/** What goes on first, then what begins next. */
export function inSight(works: readonly PlannedWork[], nowMs: number): InSight[] {
  return works
    .filter((work) => !work.cancelled_at)
    .map((work) => {
      const [fromMs, toMs] = [Date.parse(work.from), Date.parse(work.to)];
      return { work, fromMs, toMs, isNow: fromMs <= nowMs };
    })
    .filter(({ fromMs, toMs }) => toMs > nowMs && fromMs < nowMs + AHEAD_MS)
    .sort((a, b) => (a.isNow === b.isNow ? a.fromMs - b.fromMs : Number(b.isNow) - Number(a.isNow)));
}
