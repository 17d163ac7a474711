import { describe, expect, it } from 'vitest';
import { dayStart, daysOf, level, union, yearOf } from './calendar';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-22T12:00:00Z');

describe('the calendar of a line', () => {
  it('counts overlapping outages once, and lets what goes on end now', () => {
    const out = [
      { from: '2026-11-22T11:00:00Z', to: null },
      { from: '2026-11-20T01:00:00Z', to: '2026-11-20T03:00:00Z' },
      { from: '2026-11-20T02:00:00Z', to: '2026-11-20T04:00:00Z' },
    ];
    expect(union(out, NOW).map(({ fromMs, toMs }) => (toMs - fromMs) / HOUR)).toEqual([3, 1]);
  });

  it("cuts an outage at the zone's midnight, not at the reader's", () => {
    // 23:00 to 01:30 in Shanghai.
    const out = [{ from: '2026-03-01T15:00:00Z', to: '2026-03-01T17:30:00Z' }];
    const days = daysOf(2026, 'Asia/Shanghai', out, NOW);
    const hit = days.filter((day) => day.ms > 0);
    expect(hit.map(({ month, day, ms }) => [month + 1, day, ms / HOUR])).toEqual([
      [3, 1, 1],
      [3, 2, 1.5],
    ]);
    const inNewYork = daysOf(2026, 'America/New_York', out, NOW).filter((day) => day.ms > 0);
    expect(inNewYork.map(({ day, ms }) => [day, ms / HOUR])).toEqual([[1, 2.5]]);
  });

  it('has every day once, also where clocks are put forward', () => {
    const days = daysOf(2024, 'America/New_York', [], NOW);
    expect(days).toHaveLength(366);
    const march10 = days.find((day) => day.month === 2 && day.day === 10)!;
    expect((march10.toMs - march10.fromMs) / HOUR).toBe(23);
    expect(days.every((day, i) => i === 0 || day.fromMs === days[i - 1]!.toMs)).toBe(true);
    expect(days[0]).toMatchObject({ weekday: 0, week: 0 });
  });

  it('knows past, today and future, and the year of a moment', () => {
    const days = daysOf(2026, 'Asia/Shanghai', [], NOW);
    expect(days.filter((day) => day.when === 'today').map((day) => day.day)).toEqual([22]);
    expect(days.at(-1)!.when).toBe('future');
    expect(yearOf('Asia/Shanghai', Date.parse('2025-12-31T16:30:00Z'))).toBe(2026);
    expect(dayStart('Asia/Shanghai', 2026, 0, 1)).toBe(Date.parse('2025-12-31T16:00:00Z'));
  });

  it('shades by how long', () => {
    expect([0, 1, HOUR / 2, 3 * HOUR, 20 * HOUR].map(level)).toEqual([0, 1, 2, 3, 4]);
  });
});
