// The shapes that the page reads.

import type { Matter } from '../../lib/matter';

export interface Customer {
  code: string;
  name: string;
  tier: string;
  region: string | null;
  manager: string | null;
  deputy: string | null;
  lines: number;
}

export interface CustomersPage {
  items: Customer[];
  next_cursor: string | null;
}

export interface MattersPage {
  items: Matter[];
  next_cursor: string | null;
}
