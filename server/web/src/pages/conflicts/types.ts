/** What came from an agent and has no effect, or not the whole of it. */
export interface Conflict {
  id: string;
  kind: 'step' | 'deed' | 'visit' | 'opened';
  /** Which step, or what was opened. */
  what: string;
  by: string;
  agent: string;
  at: string;
  recorded_at: string;
  why: string;
  fault: string | null;
  matter: string | null;
  line: string | null;
  customer: string | null;
  settled: boolean;
  settled_at: string | null;
  settled_by: string | null;
  note: string | null;
}
