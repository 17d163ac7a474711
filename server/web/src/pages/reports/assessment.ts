// The service-quality assessment of a customer or a contractor, as the API tells it.

import type { Label } from '../../lib/types';
import { isPeriod, KINDS } from './period';
import type { Kind } from './types';

export interface Assessed {
  name: string;
  label: Label;
  figure: string;
  unit: 'count' | 'ms';
  owed: number;
  kept: number;
  missed: number;
  exempt: number;
  /** Parts in millionths; null where nothing was owed. */
  kept_ppm: number | null;
  full_at_ppm: number;
  zero_at_ppm: number;
  weight: number;
  /** Hundredths. */
  points_centi: number | null;
  lost_centi: number | null;
  rows: { kept: string[]; missed: string[]; exempt: string[] };
}

export interface Assessment {
  period: string;
  decides_fee: boolean;
  complete: boolean;
  as_of: string;
  subject: 'customer' | 'contractor';
  code: string;
  name: string;
  pack: string;
  version: string;
  fee_part_ppm: number;
  figures: Assessed[];
  reached_ppm: number;
  left_ppm: number;
  withheld_ppm: number;
  months: { month: string; reached_ppm: number; withheld_ppm: number }[];
}

export const PPM = 1_000_000;

/** Which kind of period a text names. */
export function kindOf(period: string): Kind | null {
  return KINDS.find((kind) => isPeriod(kind, period)) ?? null;
}

export interface RowsOf {
  kind: Kind;
  period: string;
  figure: string;
  of: { group: string; key: string } | null;
}

/** What an address of rows asks for. */
export function rowsOf(link: string): RowsOf | null {
  const match = /\/reports\/(month|quarter|year)\/([^/]+)\/rows\?(.*)$/.exec(link);
  if (!match) return null;
  const query = new URLSearchParams(match[3]);
  const [figure, group, key] = ['figure', 'group', 'key'].map((name) => query.get(name));
  if (!figure) return null;
  const of = group && key !== null && key !== undefined ? { group, key } : null;
  return { kind: match[1] as Kind, period: match[2]!, figure, of };
}
