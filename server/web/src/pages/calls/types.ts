import type { DueStanding } from '../../lib/due';
import type { Matter } from '../../lib/matter';
import type { Deadline, Fault } from '../../lib/types';

/** A fault with what the call desk needs beside the board. */
export interface CallFault extends Fault {
  /** The node that its line hangs on. */
  upstream: string | null;
  degraded: boolean;
  /** A supervisor decides by, because the customer cannot be reached. */
  supervisor: Deadline | null;
}

/** `supervisor`: the customer could not be reached; a decision is owed, and a call may still be made. */
export type CallKind = 'feedback' | 'callback' | 'supervisor' | 'progress';

/** Somebody who is owed a word. */
export interface Call {
  kind: CallKind;
  /** The fault's or the matter's id. */
  id: string;
  standing: DueStanding;
  customer: string;
  about: { fault: CallFault } | { matter: Matter };
}

export interface UpstreamView {
  name: string;
  causes: { id: string; upstream: string; lines: number; children: string[] }[];
  faults: CallFault[];
}

export interface BulkTold {
  told: { fault: string; line: string; customer: string }[];
  left_out: { fault: string; line: string; customer: string }[];
}
