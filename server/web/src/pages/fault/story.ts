// What the page says of a fault beyond the API's words. Pure.

import type { DeadlineDetail, Fact } from '../../lib/types';
import type { FullFault } from './types';

/** How long service was out, and how much of that is held against the limit, at a moment. */
export function clocks(
  fault: FullFault,
  readAtMs: number,
  nowMs: number,
): { grossMs: number; netMs: number } {
  const since = Math.max(0, nowMs - readAtMs);
  const isWorked = fault.restored_at === null && fault.closed_at === null;
  const isOut = isWorked && !fault.degraded && !fault.proposed_restored_at;
  const { restoration } = fault;
  const runs = restoration?.state === 'running' || (restoration?.state === 'missed' && !restoration.met_at);
  return {
    grossMs: fault.gross_ms + (isOut ? since : 0),
    netMs: fault.net_ms + (isWorked && runs ? since : 0),
  };
}

/** What was said to the customer, newest first: feedback and callbacks. */
export function told(facts: readonly Fact[]): Fact[] {
  return facts.filter(({ kind }) => kind === 'feedback' || kind === 'callback').reverse();
}

/** How many feedback periods were kept, and how many passed unmet. */
export function kept(deadlines: readonly DeadlineDetail[]): { met: number; missed: number } {
  const periods = deadlines.filter(({ kind }) => kind === 'feedback');
  const count = (state: string) => periods.filter((period) => period.state === state).length;
  return { met: count('met'), missed: count('missed') };
}

const OPENINGS: readonly string[] = ['reported', 'down', 'degraded'];

/** The reports and evidence by which a fault may be split: the fault opened, or was joined, by them. */
export function openings(fault: FullFault): Fact[] {
  const ids = new Set([fault.id, ...fault.aliases]);
  return fault.facts.filter(({ id, kind }) => OPENINGS.includes(kind) && ids.has(id));
}

/** Whether anything may still be owed on it. */
export function isLive(state: string): boolean {
  return !['closed', 'closed_unconfirmed', 'withdrawn', 'suspected'].includes(state);
}
