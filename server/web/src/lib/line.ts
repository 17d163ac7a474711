// A line as `GET /lines/{code}` tells of it.

import type { Interruption } from './types';
import type { Minute } from './minutes';

export interface Outage {
  from: string;
  /** None while it goes on. */
  to: string | null;
}

export interface PlannedSpan {
  id: string;
  from: string;
  to: string;
  /** Whether what falls into it is no fault. */
  exempt: boolean;
}

export interface LineView {
  code: string;
  customer: string;
  customer_name: string;
  site: string;
  service: string;
  pack: string;
  tier: string;
  agent: string | null;
  /** `up`, `degraded`, `down`, `unknown` or `planned_work`. */
  state: string;
  state_since: string | null;
  /** Ids of its live faults, the oldest first. */
  faults: string[];
  repeat: { count: number; limit: number | null; year: number };
  interruption: Interruption;
  /** Of this year and the one before. */
  outages: Outage[];
  planned_work: PlannedSpan[];
  summaries: Minute[];
}
