import { describe, expect, it } from 'vitest';
import { current, dueStanding, isDue, nextDue, type Due } from './due';

const T = Date.parse('2026-03-01T08:00:00Z');
const MIN = 60_000;
const iso = (minutes: number) => new Date(T + minutes * MIN).toISOString();

function due(more: Partial<Due>): Due {
  return {
    kind: 'answer',
    period: 'x',
    started_at: iso(-80),
    due_at: iso(20),
    state: 'running',
    met_at: null,
    remaining_ms: 20 * MIN,
    ...more,
  };
}

describe('a promise', () => {
  it('is owed until it is kept, late if need be', () => {
    expect(isDue(due({ state: 'missed' }))).toBe(true);
    expect(isDue(due({ state: 'missed', met_at: iso(0) }))).toBe(false);
    for (const state of ['met', 'cancelled'] as const) expect(isDue(due({ state }))).toBe(false);
  });

  it('slips from four fifths of its allowance on, and is missed after its due time', () => {
    expect(dueStanding(due({}), T - MIN)?.urgency).toBe('calm');
    expect(dueStanding(due({}), T)).toMatchObject({ urgency: 'slipping', used: 0.8, leftMs: 20 * MIN });
    expect(dueStanding(due({}), T + 20 * MIN + 1)).toMatchObject({ urgency: 'missed', leftMs: -1, used: 1 });
    expect(dueStanding(due({ state: 'met' }), T)).toBeNull();
  });

  it('stands still while paused', () => {
    const paused = due({ state: 'paused', remaining_ms: 7 * MIN });
    expect(dueStanding(paused, T + 90 * MIN)).toMatchObject({ urgency: 'paused', leftMs: 7 * MIN });
  });

  it('that falls due first comes first', () => {
    const list = [
      due({ kind: 'b', due_at: iso(30) }),
      due({ kind: 'a' }),
      due({ kind: 'c', state: 'met', due_at: iso(1) }),
    ];
    expect(nextDue(list)?.kind).toBe('a');
    expect(nextDue([])).toBeNull();
  });

  it('of an earlier period is owed no more once the next has begun', () => {
    const past = due({ kind: 'progress', started_at: iso(-90), due_at: iso(-50), state: 'missed' });
    const now = due({ kind: 'progress', started_at: iso(-50), due_at: iso(10) });
    expect(current([past, now])).toEqual([now]);
    expect(nextDue([past, now])).toBe(now);
  });
});
