// A line, as `GET /lines` lists it.

import type { LineItem } from '../../lib/types';

export interface ListedLine extends LineItem {
  agent: string | null;
  probe: string | null;
  interval_ms: number;
  upstream: string | null;
}
