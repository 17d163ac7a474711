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

/** A report as it was written on an agent. */
export interface VisitReport {
  id: string;
  agent: string;
  at: string;
  recorded_at: string;
  customer: string;
  site: string;
  met: string;
  purpose: string;
  findings: string;
  needs: string;
  promises: string;
}
