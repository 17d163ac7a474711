import { describe, expect, it } from 'vitest';
import { isPeriod, offered, periodAt, periodName, shifted } from './period';

describe('periods', () => {
  it('are those of the zone', () => {
    const newYear = Date.parse('2025-12-31T16:30:00Z');
    expect(periodAt('month', newYear, 'Asia/Shanghai')).toBe('2026-01');
    expect(periodAt('month', newYear, 'UTC')).toBe('2025-12');
    expect(periodAt('quarter', newYear, 'UTC')).toBe('2025-Q4');
    expect(periodAt('year', newYear, 'Asia/Shanghai')).toBe('2026');
  });

  it.each([
    ['month', '2026-01', -1, '2025-12'],
    ['month', '2026-12', 1, '2027-01'],
    ['quarter', '2026-Q1', -1, '2025-Q4'],
    ['quarter', '2026-Q4', 1, '2027-Q1'],
    ['year', '2026', -2, '2024'],
  ] as const)('%s %s moved by %d is %s', (kind, period, by, then) =>
    expect(shifted(kind, period, by)).toBe(then),
  );

  it('are told from what is none', () => {
    expect(['2026-00', '2026-13', '2026-1', '2026-Q4', ''].filter((p) => isPeriod('month', p))).toEqual([]);
    expect(isPeriod('quarter', '2026-Q5')).toBe(false);
  });

  it('have names', () => {
    expect(periodName('month', '2026-10', 'en')).toBe('October 2026');
    expect(periodName('month', '2026-10', 'zh')).toBe('2026年10月');
    expect(periodName('quarter', '2026-Q4', 'zh')).toBe('2026年第四季度');
    expect(periodName('quarter', '2026-Q4', 'en')).toBe('Q4 2026');
  });

  it('are offered with the open one among them', () => {
    expect(offered('year', '2026', '2026')).toEqual(['2026', '2025', '2024', '2023', '2022', '2021']);
    expect(offered('year', '2026', '2019').at(-1)).toBe('2019');
    expect(offered('month', '2026-11', '2026-11')[24]).toBe('2024-11');
  });
});
