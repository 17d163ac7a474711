import { expect, it } from 'vitest';
import { inSight } from './planned';
import type { PlannedWork } from './types';

const H = 3_600_000;
const NOW = Date.parse('2026-03-01T08:00:00Z');
const work = (id: string, from: number, to: number, cancelled_at: string | null = null): PlannedWork => ({
  id,
  reason: 'sample',
  upstream: null,
  from: new Date(NOW + from * H).toISOString(),
  to: new Date(NOW + to * H).toISOString(),
  cancelled_at,
  exempt: true,
});

it('shows work that goes on, then what begins within a day', () => {
  const works = [work('soon', 2, 3), work('over', -3, -1), work('now', -1, 1), work('far', 30, 31)];
  const shown = inSight([...works, work('off', -1, 1, 'x'), work('next', 1, 9)], NOW);
  expect(shown.map(({ work, isNow }) => [work.id, isNow])).toEqual([
    ['now', true],
    ['next', false],
    ['soon', false],
  ]);
});
