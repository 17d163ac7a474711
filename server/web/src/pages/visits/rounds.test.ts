import { describe, expect, it } from 'vitest';
import type { Matter } from '../../lib/matter';
import { rowOf } from '../matters/list';
import { byDay, entryOf, monthApart, perOwner, stageOf, weeksOf } from './rounds';

const at = (day: number, hour = 9) => new Date(2026, 1, day, hour).toISOString();

function round(id: string, more: Partial<Matter> = {}): Matter {
  return {
    id,
    kind: 'visit',
    class: 'monthly',
    customer: 'C1',
    state: 'open',
    owner: 'east',
    opened_at: at(1),
    planned_at: null,
    resolved_at: null,
    failed_points: [],
    deadlines: [
      {
        kind: 'visit',
        period: 'first',
        started_at: at(1),
        due_at: at(20),
        state: 'running',
        met_at: null,
        remaining_ms: 1,
        history: [],
      },
    ],
    ...more,
  } as Matter;
}

describe('rounds', () => {
  it('stand per owner, whose are most urgent first', () => {
    const now = Date.parse(at(15));
    const late = round('b', { owner: 'west' });
    late.deadlines[0]!.due_at = at(10);
    const groups = perOwner([round('a'), late, round('c')].map((one) => rowOf(one, now)));
    expect(groups.map(({ owner, rows, overdue }) => [owner, rows.length, overdue])).toEqual([
      ['west', 1, 1],
      ['east', 2, 0],
    ]);
  });

  it('have a place in the calendar', () => {
    const day = (one: Matter) => new Date(entryOf(one)!.ms).getDate();
    expect([stageOf(round('a')), day(round('a'))]).toEqual(['owed', 20]);
    const planned = round('a', { planned_at: at(12) });
    expect([stageOf(planned), day(planned)]).toEqual(['planned', 12]);
    const made = round('a', { state: 'resolved', planned_at: at(12), resolved_at: at(13) });
    expect([stageOf(made), day(made)]).toEqual(['review', 13]);
    expect(stageOf(round('a', { state: 'closed' }))).toBe('done');
    expect(entryOf(round('a', { state: 'cancelled' }))).toBeNull();
    const days = byDay([entryOf(round('x', { planned_at: at(12, 15) }))!, entryOf(planned)!]);
    expect([...days.values()].map((list) => list.map((one) => one.matter.id))).toEqual([['a', 'x']]);
  });
});

describe('a month', () => {
  it('is weeks from Monday to Sunday', () => {
    const weeks = weeksOf('2026-03');
    expect(weeks).toHaveLength(6);
    expect(new Date(weeks[0]![0]!).getDate()).toBe(23);
    expect(new Date(weeks[0]![6]!).getDate()).toBe(1);
    expect(weeksOf('2027-02')).toHaveLength(4);
  });

  it('has neighbours', () => {
    expect(monthApart('2026-12', 1)).toBe('2027-01');
    expect(monthApart('2026-01', -1)).toBe('2025-12');
  });
});
