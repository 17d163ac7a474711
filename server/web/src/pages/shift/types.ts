/** Something open, as the daily list and handovers name it. */
export interface ListItem {
  kind: string;
  id: string;
  customer: string;
  /** Empty where it is about none. */
  line: string;
  state: string;
  started_at: string;
  touched_at: string;
  due_at: string | null;
  /** Promises that were missed and are not kept yet. */
  overdue: number;
  untouched: boolean;
}

/** Something that the desk itself owes. */
export interface Notice {
  kind: string;
  /** Of which month, or year. */
  month: string;
  due_at: string;
}

export interface DailyList {
  day: string;
  as_of: string;
  owners: { owner: string; open: number; overdue: number; untouched: number; items: ListItem[] }[];
  cut: boolean;
  notices?: Notice[];
}

export interface Handover {
  id: string;
  left_by: string;
  left_at: string;
  words: string;
  state: { open: number; items: ListItem[] };
  taken_by: string | null;
  taken_at: string | null;
  reviewed_by: string | null;
  reviewed_at: string | null;
}

export interface Shift {
  from: string;
  until: string;
  person: string;
  email: string;
}

export interface Rota {
  month: string;
  due_at: string;
  written_by: string;
  written_at: string;
  approved_by: string | null;
  approved_at: string | null;
  shifts: Shift[];
}

export interface Absence {
  id: string;
  person: string;
  from: string;
  until: string;
  reason: string;
}

export interface Work {
  id: string;
  reason: string;
  upstream: string | null;
  from: string;
  to: string;
  applied_at: string;
  announced_at: string | null;
  cancelled_at: string | null;
  by: string;
  recorded_at: string;
  exempt: boolean;
  not_exempt_because: string | null;
}

export interface WorkDetail extends Work {
  lines: string[];
  reports: { id: string; line: string; at: string; by: string }[];
}
