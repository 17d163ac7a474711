// A fault with its whole story, as `GET /faults/{id}` tells it.

import type { Alert } from '../../lib/alert';
import type { Deadline, FaultDetail } from '../../lib/types';
import type { Diagnosis } from './diagnosis';

export interface Pause {
  from: string;
  until: string;
  cause: string;
  evidence: string;
  grantor: string;
}

export interface SiteAccess {
  /** The site's id. */
  site: string;
  /** The weekly pattern; empty for any hour of the days that are not closed. */
  hours: string;
  open_now: boolean;
  next_open_at: string | null;
  /** Somebody was sent and cannot get in: a pause that the rules allow. */
  proposed_pause: { cause: string; until: string } | null;
}

export interface CommonCause {
  /** The first fault's id. */
  id: string;
  upstream: string;
  lines: number;
  children: string[];
}

export interface FullFault extends FaultDetail {
  upstream: string | null;
  degraded: boolean;
  /** A supervisor decides by, because the customer cannot be reached. */
  supervisor: Deadline | null;
  gross_ms: number;
  net_ms: number;
  pauses: Pause[];
  not_counted: string | null;
  site_access: SiteAccess | null;
  cause: CommonCause | null;
  /** The newest first; a server of before has none. */
  diagnoses?: Diagnosis[];
  /** The oldest first. */
  alerts: Alert[];
}
