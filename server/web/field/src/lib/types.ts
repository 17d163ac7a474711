// The shapes of the agent's local API. Times are RFC 3339 in UTC.

import type { Label } from '../../../src/lib/types';
import type { Range } from '../../../src/lib/matter';
import type { LineState } from '../../../src/lib/types';

export type { Label, LineState, Range };
export * from './report-types';

export interface User {
  name: string;
  role: string;
}

export interface Session {
  device: { name: string | null; enrolled: boolean; locked: boolean; version: string };
  /** Who may sign in. */
  people: string[];
  user: User | null;
  token: string | null;
  now: string;
}

export interface Deadline {
  kind: string;
  due_at: string;
  state: 'running' | 'paused' | 'met' | 'missed' | 'cancelled';
  remaining_ms: number | null;
  started_at: string;
  warn_at: string[];
  /** Whether somebody still owes it. */
  open: boolean;
}

export interface Fact {
  id: string;
  kind: string;
  occurred_at: string;
  text: string;
  by: string | null;
  misfit: string | null;
  /** Whether the server has it. */
  sent: boolean;
  /** Whether it was written down on this laptop. */
  here: boolean;
}

export interface Fault {
  id: string;
  line: string;
  customer: string;
  customer_name: string;
  site: string;
  tier: string;
  state: string;
  started_at: string;
  sent: boolean;
  mine: boolean;
  deadlines: Deadline[];
  facts: Fact[];
  possible: string[];
}

export interface ChecklistItem {
  name: string;
  label: Label;
  range: Range | null;
}

export interface Checklist {
  name: string;
  label: Label;
  items: [name: string, label: Label][];
  /** What is measured at points, by their names. */
  readings?: Record<string, Range>;
}

export interface Matter {
  id: string;
  kind: string;
  class: string;
  label: Label | null;
  customer: string;
  customer_name: string;
  line: string | null;
  site: string | null;
  title: string;
  description: string;
  reporter: string | null;
  owner: string | null;
  state: string;
  opened_at: string;
  deadlines: Deadline[];
  checklist: Checklist | null;
  modes: string[];
  possible: string[];
  /** What was done about it on this laptop: a step, or `made` for a round. */
  done?: { kind: string; at: string; sent: boolean }[];
}

export interface Line {
  code: string;
  customer: string;
  customer_name: string;
  site: string;
  service: string;
  tier: string;
  probe: string;
  interval_ms: number;
  state: LineState;
  since: string | null;
  rtt_us: number | null;
  /** Of the last minute, 0 to 1. */
  loss: number | null;
  /** The id of its fault. */
  fault: string | null;
  /** Whether this agent watches it. */
  own: boolean;
  /** Until when it is probed from here although another agent watches it. */
  vantage_until: string | null;
}

export interface Customer {
  code: string;
  name: string;
  contact_name: string | null;
  contact_phone: string | null;
  sites: string[];
  lines: string[];
}

export interface Sync {
  enrolled: boolean;
  connected: boolean;
  last_contact_at: string | null;
  offset_ms: number | null;
  trouble: string | null;
  unsent: { records: number; parts: number; bytes: number };
  rate_bytes_per_s: number | null;
  rest_ms: number | null;
  progress: number | null;
}

export interface Work {
  as_of: string;
  faults: Fault[];
  matters: Matter[];
  lines: Line[];
  customers: Customer[];
  sync: Sync;
}

export interface Minute {
  at: string;
  sent: number;
  lost: number;
  late: number;
  not_sent: number;
  min_us: number | null;
  avg_us: number | null;
  max_us: number | null;
  jitter_us: number | null;
}

export type Grade = 'ok' | 'warn' | 'fail' | 'unknown';

export interface Finding {
  check: string;
  grade: Grade;
  code: string;
  figures?: [string, string | number][];
  text: Label;
}

export interface Diagnosis {
  state: 'running' | 'done';
  line: string;
  findings: Finding[];
  /** The id of what was saved of it. */
  record: string | null;
}

export interface SavedItem {
  id: string;
  kind: 'visit' | 'report' | 'step' | 'opened' | 'deed' | 'diagnosis';
  title: string;
  customer: string | null;
  line: string | null;
  at: string;
  by: string | null;
  state: 'here' | 'sent' | 'complete';
  parts: { total: number; whole: number; bytes: number; sent_bytes: number };
}

export interface Check {
  check: string;
  grade: Grade;
  text: Label;
}
