// The shapes that administration reads.

import type { Label, Pack } from '../../lib/types';
import type { Given } from './scope';

export interface PackInForce extends Pack {
  time_zone: string;
  calendar: string;
  calendar_covers_until: string | null;
  origin: string;
  tiers: { name: string; label: Label }[];
}

export interface Moved {
  subject: 'fault' | 'matter';
  id: string;
  line: string | null;
  customer: string;
  tier: string;
  kind: string;
  from: string | null;
  to: string | null;
  overdue: boolean;
}

export interface Preview {
  pack: string;
  version: string;
  in_force: string | null;
  faults: number;
  matters: number;
  moved_count: number;
  moved: Moved[];
  unfit_count: number;
  unfit: { subject: 'fault' | 'matter'; id: string; reason: string }[];
  notes: string[];
}

export interface Channel {
  name: string;
  kind: string;
  marks: string[];
  tiers: string[];
  fallback: string | null;
  only_fallback: boolean;
}

export interface DeadLetter {
  n: number;
  fault: string;
  channel: string;
  destination: string;
  attempts: number;
  created_at: string;
  dead_at: string;
  error: string;
}

export interface Agent {
  id: string;
  name: string;
  state: 'known' | 'enrolled' | 'quarantined' | 'revoked';
  /** Since when its records are kept aside, because there are two of it. */
  quarantined_since: string | null;
  /** How many are. */
  kept_aside: number;
  lines: number;
  last_seen_at: string | null;
  silent_since: string | null;
  clock_offset_ms: number | null;
  version: string | null;
  /** What it has not sent, of those lanes of which there is anything. */
  unsent: { lane: string; records: number; since_at: string }[];
  /** Photos and signatures that its reports name and that have not arrived. */
  parts_missing: number;
}

export interface AgentPerson {
  name: string;
  role: string;
  enabled: boolean;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface User {
  name: string;
  role: string;
  disabled: boolean;
  created_at: string;
  tokens: number;
  second_factor: boolean;
  single_sign_on: boolean;
  given: Given;
  contractor: string | null;
}

export interface Enrolment {
  token: string;
  expires_at: string;
  names: string[];
  port: number;
}

/** One text of alerts in one language. */
export interface AlertText {
  id: string;
  lang: string;
  section: string;
  shipped: string | null;
  own: string | null;
  variables: string[];
  left_out: string[];
  paragraph: boolean;
  by: string | null;
  at: string | null;
  problem: string | null;
}

/** What a sample alert comes to. */
export interface AlertPreview {
  subject: string;
  plain: string;
  html: string;
  chat: string;
  kind: string;
  mark: string;
  form: string;
  late: boolean;
}
