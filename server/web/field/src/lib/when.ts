// When something happened: now, or a time that is written down late. Pure.

/** Further back than this, a reason is asked for. */
export const REASON_AFTER_MS = 5 * 60_000;
/** Further ahead than this, it is refused. */
const AHEAD_MAX_MS = 5 * 60_000;

export interface When {
  /** RFC 3339; none: now. */
  at: string | null;
  reason: string;
}

export const NOW: When = { at: null, reason: '' };

export const needsReason = (at: string | null, nowMs: number) =>
  at !== null && nowMs - Date.parse(at) > REASON_AFTER_MS;

/** What is wrong with it. */
export function wrongWhen({ at, reason }: When, nowMs: number): 'reason_missing' | 'in_the_future' | null {
  if (at !== null && Date.parse(at) - nowMs > AHEAD_MAX_MS) return 'in_the_future';
  return needsReason(at, nowMs) && !reason.trim() ? 'reason_missing' : null;
}

/** As it is sent. */
export function whenBody({ at, reason }: When, nowMs: number): { occurred_at?: string; reason?: string } {
  if (at === null) return {};
  return { occurred_at: at, ...(needsReason(at, nowMs) && { reason: reason.trim() }) };
}
