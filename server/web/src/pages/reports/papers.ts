// The papers of the monthly meeting, as the API tells them.

import type { Label } from '../../lib/types';

/** The first of a list, and how many more there are. */
export interface Listed<T> {
  items: T[];
  more: number;
}

interface Worst {
  code: string;
  customer: string;
  name: string;
  faults: number;
  missed: number;
  interruption_ms: number;
}

export interface Copy {
  number: number;
  made_at: string;
  made_by: string;
  approved_by: string | null;
  approved_at: string | null;
}

export interface Papers {
  month: string;
  complete: boolean;
  as_of: string;
  /** The kept copy that this is; null while the month runs. */
  copy: Copy | null;
  copies: Copy[];
  changed_since: { name: string; then: number | null; now: number | null }[];
  figures: { name: string; value: number | null; month_before: number | null; year_before: number | null }[];
  customers_by_missed: Listed<Worst>;
  customers_by_interruption: Listed<Worst>;
  lines_by_missed: Listed<Worst>;
  lines_by_interruption: Listed<Worst>;
  lines_to_watch: Listed<{
    line: string;
    customer: string;
    tier: string;
    faults: number;
    faults_limit: number | null;
    interruption_ms: number;
    interruption_limit_ms: number | null;
  }>;
  missed: Listed<{
    kind: string;
    subject: string;
    of: string;
    customer: string;
    line: string;
    due_at: string | null;
    met_at: string | null;
    count: number;
    causes: Label[];
    done: string;
  }>;
  missed_count: number;
  exemptions: Listed<{
    subject: string;
    of: string;
    customer: string;
    line: string;
    cause: Label;
    grantor: string;
    at: string;
  }>;
  complaints: {
    classes: {
      class: string;
      label: Label;
      opened: number;
      month_before: number | null;
      answers_missed: number;
      resolved: number;
      resolutions_missed: number;
    }[];
    customers: number;
    per_100_customers_centi: number | null;
  };
  grave: Listed<{
    matter: string;
    label: Label;
    customer: string;
    title: string;
    owner: string;
    opened_at: string;
    due_at: string | null;
    missed: number;
  }>;
  samples: Listed<{
    subject: string;
    of: string;
    customer: string;
    owner: string;
    points: number | null;
    good: boolean | null;
    checked_by: string | null;
    remarks: string;
  }>;
  contractors: Listed<{
    contractor: string;
    name: string;
    faults: number;
    missed: number;
    reached_ppm: number | null;
    lost: Label[];
  }>;
  risks: Listed<{
    customer: string;
    name: string;
    manager: string;
    reasons: [string, number][];
    visit_proposed_by: string | null;
  }>;
  late: Listed<{ month: string; figure: string; before: number; after: number; learnt_at: string | null }>;
  decisions: Listed<{
    kind: string;
    subject: string | null;
    of: string;
    customer: string;
    due_at: string | null;
    count: number;
  }>;
}

/** Something that the desk itself owes, as the day's list has it. */
export interface Notice {
  kind: string;
  month: string;
  due_at: string;
}
