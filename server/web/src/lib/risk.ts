// Customers who may be lost, as the API tells them.

export interface Reason {
  kind: string;
  count: number;
  line?: string;
  limit?: number;
  /** What was entered by hand. */
  id?: string;
  text?: string;
  by?: string;
}

export interface OwedVisit {
  matter: string;
  due_at: string | null;
  planned_at: string | null;
  /** Null where it is due or planned early enough already. */
  proposed_by: string | null;
}

export interface AtRisk {
  customer: string;
  name: string;
  /** Empty for none. */
  manager: string;
  reasons: Reason[];
  visit: OwedVisit | null;
}
