// The shapes of `/reports`.

import type { Label } from '../../lib/types';

export type Kind = 'month' | 'quarter' | 'year';
export type Section = 'faults' | 'lines' | 'matters' | 'quality' | 'calls';

export interface FigureInfo {
  name: string;
  unit: 'count' | 'ms' | 'points';
  section: Section;
  rows_are: 'fault' | 'line' | 'matter' | 'sample' | 'day';
}

/** Pieces, points or milliseconds, by name; null where nothing was imported, drawn or checked. */
export type Figures = Record<string, number | null>;
/** Thousandths, millionths (`_ppm`) or milliseconds (`_ms`), by name; null where there is nothing to divide by. */
export type Ratios = Record<string, number | null>;

export interface LineYear {
  faults: number;
  faults_limit: number | null;
  interruption_ms: number;
  interruption_limit_ms: number | null;
}

export interface ReportGroup {
  key: string;
  label: Label;
  figures: Figures;
  ratios: Ratios;
  customer: string | null;
  year: LineYear | null;
}

export interface Change {
  group: string;
  key: string;
  figure: string;
  before: number;
  after: number;
  learnt_at: string | null;
}

export interface Version {
  made_at: string;
  changes: Change[];
}

export interface Report {
  kind: Kind;
  period: string;
  zones: { time_zone: string; from: string; to: string }[];
  complete: boolean;
  as_of: string;
  figures: FigureInfo[];
  total: Figures;
  ratios: Ratios;
  group: string;
  groups: ReportGroup[];
  versions: Version[];
}

export interface ReportRow {
  fault: string | null;
  matter: string | null;
  line: string;
  customer: string;
  tier: string;
  class: string | null;
  started_at: string | null;
  restored_at: string | null;
  value: number;
  year: LineYear | null;
  day: string | null;
}

export interface RowsPage {
  items: ReportRow[];
  next_cursor: string | null;
}
