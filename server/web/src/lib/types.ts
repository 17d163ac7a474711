// The shapes of the server's API (`/api/v1`). Times are RFC 3339 in UTC.

export type LineState = 'up' | 'degraded' | 'down' | 'unknown';
export type FaultState =
  | 'suspected'
  | 'open'
  | 'acknowledged'
  | 'dispatched'
  | 'restored'
  | 'repaired'
  | 'closed'
  | 'closed_unconfirmed'
  | 'withdrawn';
export type DeadlineKind = 'restoration' | 'feedback' | 'repair' | 'callback';
export type DeadlineState = 'running' | 'paused' | 'met' | 'missed' | 'cancelled';
export type StepKind =
  | 'acknowledged'
  | 'dispatched'
  | 'arrived'
  | 'restored'
  | 'repaired'
  | 'feedback'
  | 'callback'
  | 'reopened'
  | 'paused'
  | 'resumed'
  | 'exempted'
  | 'note';
export type Channel = 'hotline' | 'manager' | 'technician' | 'noc';

export interface Deadline {
  due_at: string;
  state: DeadlineState;
  /** Negative once overdue. Frozen while paused. */
  remaining_ms: number;
  met_at?: string | null;
  /** The whole time allowed, where the server says it: what "80 %" is measured against. */
  allowance_ms?: number | null;
}

export interface Fault {
  id: string;
  /** Further ids that answer to it: an earlier fact may give a fault another id. */
  aliases: string[];
  line: string;
  line_state: LineState;
  site: string | null;
  service: string | null;
  /** The node that the line hangs on. */
  upstream: string | null;
  customer: string;
  customer_name: string;
  /** The customer's; left out where none is known. */
  region?: string;
  tier: string;
  tier_label: Label | null;
  /** The pack and version that it started under, as `group-line 2026.1`. */
  pack: string;
  state: FaultState;
  started_at: string;
  /** The first evidence, and the first report by a person. */
  detected_at: string | null;
  reported_at: string | null;
  reported: boolean;
  /** Since when evidence says that it is back, while a person's word is awaited. */
  proposed_restored_at: string | null;
  restored_at: string | null;
  closed_at: string | null;
  /** The exemption's cause. */
  exempt: string | null;
  /** The confirmed fault that this one follows. */
  follows: string | null;
  restoration: Deadline | null;
  feedback: Deadline | null;
  repair: Deadline | null;
  callback: Deadline | null;
  repeat: { count: number; limit: number | null; year: number } | null;
  interruption: Interruption | null;
  owner: string | null;
  contact: { name: string; phone: string } | null;
  possible: string[];
}

export interface Label {
  zh: string;
  en: string;
}

export interface Cause {
  name: string;
  label: Label;
}

export interface Pack {
  name: string;
  version: string;
  time_zone?: string;
  pause_causes?: Cause[];
  exempt_causes?: Cause[];
}

export interface Interruption {
  /** As of the answer; it grows while `running`. */
  ms: number;
  limit_ms: number | null;
  year: number;
  /** When the limit will be passed if the outage goes on. */
  exhausted_at?: string | null;
  running?: boolean;
}

export interface Engine {
  alive: boolean;
  lag_ms: number;
}

export interface Suspected {
  id: string;
  line: string;
  customer: string;
  customer_name: string;
  tier: string;
  agent: string;
  since: string;
}

export interface SilentAgent {
  name: string;
  last_seen_at: string | null;
  silent_since: string;
  lines: number;
}

export interface WarnedAgent {
  name: string;
  warnings: string[];
}

export interface Agents {
  total: number;
  silent: SilentAgent[];
  warned: WarnedAgent[];
}

export interface Snapshot {
  as_of: string;
  cursor: string;
  engine: Engine;
  faults: Fault[];
  suspected: Suspected[];
  agents: Agents;
}

/** `warn_50`, `warn_80` or another share that a pack warns at; `missed`, `met_late`, `corrected`. */
export type Mark = string;

export interface DeadlineEvent {
  /** The fault's id, or an alias; absent where it is a promise of a complaint, a visit … */
  fault?: string;
  line?: string;
  /** Said where there is no line. */
  customer?: string;
  /** One of those that the board counts down, or another. */
  kind: string;
  mark: Mark;
  at: string;
  due_at?: string;
  /** Whether it was learnt only long after. */
  late?: boolean;
}

export type BoardEvent =
  | { type: 'fault'; data: { fault: Fault; as_of?: string } }
  | { type: 'deadline'; data: DeadlineEvent }
  | { type: 'agent'; data: { name: string; state: 'silent' | 'back' | 'warned'; warnings?: string[] } }
  /** A report of a visit came, or the last of its photos. */
  | { type: 'visit'; data: { visit: string; complete: boolean } }
  | { type: 'tick'; data: { as_of: string; engine: Engine } }
  | { type: 'reset'; data: Record<string, never> };

/** One fact of a fault. What it says beyond the fields below depends on its kind. */
export interface Fact {
  id: string;
  kind: string;
  occurred_at: string;
  recorded_at: string;
  by: string | null;
  late: boolean;
  /** By how much a device's clock was corrected, and whether that is a guess. */
  corrected_ms: number;
  uncertain: boolean;
  misfit: string | null;
  [field: string]: unknown;
}

/** What a line's change of state rests on. Read leniently: it comes from agents of any version. */
export interface Evidence {
  cause?: string;
  degraded?: boolean;
  sent?: number;
  lost?: number;
  /** The recent window, oldest first: `.` answered, `x` lost. */
  recent?: string;
  longest_run?: number;
  longest_run_ms?: number;
  last_rtt_us?: number;
  confirmations?: { by: string; heard: string }[];
}

export interface DeadlineDetail {
  /** One of those that the board counts down, or another. */
  kind: string;
  /** Which one of its kind. */
  period: string;
  due_at: string;
  state: DeadlineState;
  met_at: string | null;
  missed_at: string | null;
  warn_at: string[];
  history: { verdict: string; at: string; learnt_at: string }[];
}

export interface FaultDetail extends Fault {
  facts: Fact[];
  deadlines: DeadlineDetail[];
}

export interface LineItem {
  code: string;
  customer: string;
  customer_name: string;
  /** The customer's. */
  region: string | null;
  site: string | null;
  service: string | null;
  tier: string;
}

export interface Session {
  user: string;
  name: string;
  role: 'noc' | 'manager' | 'technician' | 'admin';
  /** Of a screen on the wall: it lasts, and reads the board alone. */
  screen?: boolean;
  /** Of a second factor that was set up just now. */
  recovery_codes?: string[];
  /** What writes by this session's cookie say. */
  token?: string;
}

/** What is asked for after a right password. */
/** How people sign in beside name and password. */
export interface Ways {
  single_sign_on?: { label?: string };
}

export interface SecondStep {
  pending: string;
  /** Of somebody who has to have a second factor and has none. */
  setup?: { secret: string; uri: string };
}

export interface NewReport {
  line: string;
  reported_at: string;
  channel: Channel;
  reporter: string;
  description: string;
}

/** A step as it is posted: its kind, when it happened (now, if left out), and what the kind asks for. */
export interface NewFact {
  kind: StepKind;
  occurred_at?: string;
  [field: string]: string | boolean | undefined;
}

/** Planned work, as a list shows it. */
export interface PlannedWork {
  id: string;
  reason: string;
  upstream: string | null;
  from: string;
  to: string;
  cancelled_at: string | null;
  exempt: boolean;
}
