// Promised availability of lines, as the API tells it.

export interface Availability {
  line: string;
  customer: string;
  pack: string;
  tier: string;
  /** Promised, in millionths of the time. */
  at_least_ppm: number;
  over: string;
  from: string;
  to: string;
  available_ppm: number | null;
  interruption_ms: number;
  allowance_ms: number;
  /** Negative once it is missed. */
  left_ms: number;
  exhausted_at: string | null;
  state: 'running' | 'met' | 'missed';
  running: boolean;
  exempt_ms: number;
  outages: { fault: string; from: string; to: string | null; exempt: string | null }[];
}

export const PPM = 1_000_000;
const SLIPPING_SHARE = 0.8;

/** How much of the allowance is used, 0 to 1. */
export function usedShare({ interruption_ms, allowance_ms }: Availability): number {
  if (allowance_ms <= 0) return interruption_ms > 0 ? 1 : 0;
  return Math.min(1, interruption_ms / allowance_ms);
}

export function urgencyOf(item: Availability): 'calm' | 'slipping' | 'missed' {
  if (item.state === 'missed' || item.left_ms < 0) return 'missed';
  return usedShare(item) >= SLIPPING_SHARE ? 'slipping' : 'calm';
}
