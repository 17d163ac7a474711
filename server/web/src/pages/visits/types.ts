import type { Range } from '../../lib/matter';
import type { Label } from '../../lib/types';

export interface Duty {
  id: string;
  kind: 'visit' | 'patrol';
  pack: string;
  cadence: string;
  customer: string;
  /** Empty for the customer as a whole. */
  site: string;
  since: string;
  next_round_at: string | null;
  ended_at: string | null;
}

/** A report as a list shows it. */
export interface VisitReport {
  id: string;
  agent: string;
  at: string;
  recorded_at: string;
  /** The round that it reports. */
  matter: string | null;
  /** Why it counts for no round, or something in it for nothing. */
  why: string | null;
  /** Whether every photo has arrived. */
  complete: boolean;
  parts: { total: number; whole: number };
  customer: string;
  site: string;
  met: string;
  purpose: string;
  findings: string;
  needs: string;
  promises: string;
}

/** A report whole. */
export interface VisitDetail {
  id: string;
  at: string;
  recorded_at: string;
  by: string | null;
  agent: string;
  customer_name: string;
  matter: string | null;
  why: string | null;
  complete: boolean;
  visit: VisitSaid;
  form: ReportForm | null;
  parts: ReportPart[];
  /** What the reader is not told, and why. */
  withheld?: { fields: string[]; reason: string };
}

export interface VisitSaid {
  customer: string;
  site: string;
  line: string | null;
  fault: string | null;
  class: string | null;
  mode: string | null;
  met: string | null;
  purpose: string;
  findings: string;
  needs: string;
  promises: string;
  promised: { title: string; until: string }[];
  points: { name: string; ok: boolean; reading?: number | null; note?: string }[];
  answers: { field: string; value: string | number | boolean; amiss: boolean }[];
  satisfied: boolean | null;
  left_clean: boolean | null;
  signed_by: string | null;
  report: string | null;
}

/** The form that it was written by; its name alone where the server has that version no more. */
export interface ReportForm {
  pack: string;
  version: string;
  name: string;
  label?: Label;
  fields?: FormField[];
}

export interface FormField {
  name: string;
  label: Label;
  range?: Range | null;
  choices?: [name: string, label: Label][];
}

/** A photo, or the signature. */
export interface ReportPart {
  sha256: string;
  role: 'photo' | 'signature';
  media: string;
  bytes: number;
  /** How many of them have arrived. */
  held: number;
  whole: boolean;
  /** Why it is not there, and will not be. */
  why: string | null;
  caption: string;
  taken_at: string | null;
  place: { latitude: number; longitude: number } | null;
}
