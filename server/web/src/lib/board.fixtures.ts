// Faults and boards for tests.

import { fromSnapshot, type BoardModel } from './board';
import type { Deadline, Fault, Snapshot } from './types';

export const T = Date.parse('2026-03-01T08:00:00Z');
export const MIN = 60_000;
export const iso = (ms: number) => new Date(ms).toISOString();

export function due(
  minutes: number,
  state: Deadline['state'] = 'running',
  more: Partial<Deadline> = {},
): Deadline {
  return { due_at: iso(T + minutes * MIN), state, remaining_ms: minutes * MIN, ...more };
}

export function fault(id: string, more: Partial<Fault> = {}): Fault {
  return {
    id,
    line: `L-${id}`,
    line_state: 'down',
    site: null,
    service: 'internet',
    upstream: null,
    customer: 'C-1',
    customer_name: 'Sample customer',
    tier: 'AA',
    tier_label: null,
    state: 'open',
    started_at: iso(T - 60 * MIN),
    reported: true,
    aliases: [],
    pack: 'group-line 2026.1',
    detected_at: null,
    reported_at: null,
    proposed_restored_at: null,
    restored_at: null,
    closed_at: null,
    exempt: null,
    follows: null,
    restoration: due(180),
    feedback: null,
    repair: null,
    callback: null,
    repeat: null,
    interruption: null,
    owner: null,
    contact: null,
    possible: [],
    ...more,
  };
}

export function board(...faults: Fault[]): BoardModel {
  const snapshot: Snapshot = {
    as_of: iso(T),
    cursor: '10',
    engine: { alive: true, lag_ms: 0 },
    faults,
    suspected: [],
    agents: {
      total: 2,
      silent: [{ name: 'a1', last_seen_at: null, silent_since: iso(T), lines: 3 }],
      warned: [],
    },
  };
  return fromSnapshot(snapshot);
}
