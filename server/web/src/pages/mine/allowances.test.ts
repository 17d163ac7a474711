import { describe, expect, it } from 'vitest';
import type { Row } from '../../lib/rows';
import { allowancesOf, type LinePromise } from './allowances';

const NOW = Date.parse('2026-06-01T04:00:00Z');
const HOUR = 3_600_000;

const promise = (line: string, state: string, due_at: string): LinePromise => ({
  kind: 'interruption',
  line,
  customer: 'bank',
  started_at: '2025-12-31T16:00:00Z',
  due_at,
  state,
});
const row = (line: string, running: boolean) =>
  ({
    fault: { line },
    entry: {
      fault: {
        line,
        line_state: 'down',
        interruption: { ms: HOUR, limit_ms: 6 * HOUR, year: 2026, running },
      },
      seenAtMs: NOW - HOUR,
    },
  }) as unknown as Row;
const lines = (list: { line: string }[]) => list.map(({ line }) => line);

describe('allowancesOf', () => {
  it('shows what is being used up before what is used up, and nothing that stands still', () => {
    const list = [
      promise('old', 'missed', '2025-03-01T00:00:00Z'),
      promise('first', 'missed', '2026-02-01T00:00:00Z'),
      promise('last', 'missed', '2026-05-01T00:00:00Z'),
      promise('next', 'running', '2026-06-01T09:00:00Z'),
      promise('still', 'running', '2026-12-31T16:00:00Z'),
      { ...promise('other', 'missed', '2026-05-01T00:00:00Z'), customer: 'mill' },
    ];
    const shown = allowancesOf(list, new Set(['bank']), [row('next', true), row('still', false)], NOW);
    expect(lines(shown)).toEqual(['next', 'last', 'first']);
  });

  it("counts the running outage on, and knows the year's limit", () => {
    const [one] = allowancesOf(
      [promise('next', 'running', '2026-06-01T09:00:00Z')],
      new Set(['bank']),
      [row('next', true)],
      NOW,
    );
    expect([one!.usedMs, one!.limitMs]).toEqual([2 * HOUR, 6 * HOUR]);
  });
});
