// Customers, and what the API tells about them.

import type { Label } from '../../lib/types';

export interface Customer {
  code: string;
  name: string;
  tier: string;
  pack: string;
  region: string | null;
  manager: string | null;
  manager_email: string | null;
  deputy: string | null;
  deputy_email: string | null;
  contact_name: string | null;
  contact_phone: string | null;
  lines: number;
  service_ends_at: string | null;
  erased_at: string | null;
}

/** Contact data is withheld from who has signed no agreement of confidentiality. */
export interface Withholding {
  withheld?: { fields: string[]; reason: string };
}

export interface Manager {
  /** Empty for customers whom nobody has. */
  name: string;
  customers: number;
  load: string;
  lines: number;
  open_faults: number;
  open_matters: number;
  missed_in_30_days: number;
}

export interface Incomplete {
  code: string;
  name: string;
  /** Such as `contact_phone is missing`; null where contact data is withheld from the reader. */
  wanting: string[] | null;
  owner: string;
  due_at: string;
  overdue: boolean;
}

export interface Proposal {
  id: string;
  customer: string;
  pack: string;
  before: string | null;
  grade: string;
  reasons: {
    /** Hundredths of a point. */
    scores_centi?: [name: string, points: number][];
    total_centi?: number;
    capped_by?: string[];
  };
  state: 'proposed' | 'approved' | 'rejected' | 'replaced';
  proposed_by: string;
  proposed_at: string;
  decided_by: string | null;
  decided_at: string | null;
  keeps_manager: boolean | null;
}

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

export interface Named {
  name: string;
  label: Label;
}

/** How a pack grades customers. */
export interface Grading {
  indicators: (Named & { weight: number })[];
  grades: (Named & { at_least: number; tier: string | null })[];
  caps: (Named & { grade: string })[];
}

export interface GradingPack {
  name: string;
  version: string;
  tiers?: Named[];
  grading?: Grading | null;
}

export interface Admission {
  customer: string;
  name: string;
  state: 'proposed' | 'admitted' | 'refused';
  proposed_by: string | null;
  proposed_at: string;
  decided_by: string | null;
  decided_at: string | null;
  reason: string | null;
}

export interface Contractor {
  code: string;
  name: string;
  /** Days, such as `2026-01-01`. */
  contract_from: string;
  contract_until: string | null;
  pack: string;
  /** In millionths; null: the pack's. */
  fee_part_ppm: number | null;
}

export interface ContractorDetail extends Contractor {
  contact_name: string | null;
  contact_phone: string | null;
}

export interface AssessingPack {
  name: string;
  version: string;
  assessment?: object | null;
}
