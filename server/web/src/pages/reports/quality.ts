// Samples of closed work, as the API tells them.

export interface Sampled {
  subject: string;
  kind: string;
  customer: string;
  line: string;
  owner: string;
  closed_at: string;
  points: number | null;
  good: boolean | null;
  remarks: string | null;
  checked_by: string | null;
  checked_at: string | null;
}

export interface QualityMonth {
  month: string;
  closed: number;
  checked: number;
  good: number;
  good_permille: number | null;
  items: Sampled[];
}

const POINTS_MAX = 100;

/** The points that were typed; null where they are none. */
export function pointsOf(typed: string): number | null {
  const text = typed.trim();
  const points = Number(text);
  return /^\d+$/.test(text) && points <= POINTS_MAX ? points : null;
}
