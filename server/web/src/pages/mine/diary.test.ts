import { describe, expect, it } from 'vitest';
import { daysOf, weekOf, type DiaryEntry } from './diary';

describe('the diary', () => {
  it('has weeks from Monday to Sunday, across the year’s end', () => {
    const sunday = new Date(2026, 10, 22, 23, 59).getTime();
    expect(weekOf(sunday, 0)).toEqual(new Date(2026, 10, 16));
    expect(weekOf(sunday, 1)).toEqual(new Date(2026, 10, 23));
    expect(weekOf(new Date(2027, 0, 1).getTime(), 0)).toEqual(new Date(2026, 11, 28));
  });

  it('puts entries under their days, and keeps the days without any', () => {
    const entry = { at: new Date(2026, 10, 18, 9).toISOString() } as DiaryEntry;
    const next = { at: new Date(2026, 10, 23).toISOString() } as DiaryEntry;
    const days = daysOf(new Date(2026, 10, 16), [entry, next]);
    expect(days.map(({ entries }) => entries.length)).toEqual([0, 0, 1, 0, 0, 0, 0]);
  });
});
