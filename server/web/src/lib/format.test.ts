import { describe, expect, it } from 'vitest';
import { countdown, duration, fromLocalInput, hours, limit, moment, toLocalInput, dayName } from './format';

const H = 3_600_000;

describe('countdown', () => {
  it.each([
    [0, '0:00'],
    [59_999, '0:59'],
    [245_000, '4:05'],
    [H + 245_000, '1:04:05'],
    [51 * H + 245_000, '2d 03:04:05'],
    [-1, '−0:01'],
    [-1_000, '−0:01'],
    [-61_000, '−1:01'],
    [-25 * H, '−1d 01:00:00'],
  ])('%d ms is %s', (ms, text) => expect(countdown(ms, 'en')).toBe(text));

  it('speaks Chinese', () => expect(countdown(51 * H, 'zh')).toBe('2天 03:00:00'));
});

describe('duration', () => {
  it.each([
    [-5, '0 s', '0秒'],
    [45_900, '45 s', '45秒'],
    [12 * 60_000, '12 min', '12分'],
    [3 * H, '3 h', '3小时'],
    [3 * H + 5 * 60_000, '3 h 05 min', '3小时05分'],
    [52 * H, '2 d 4 h', '2天4小时'],
  ])('%d ms', (ms, en, zh) => expect([duration(ms, 'en'), duration(ms, 'zh')]).toEqual([en, zh]));

  it('fits figures and limits into a narrow column', () => {
    expect([hours(5 * H + 18 * 60_000), limit(6 * H, 'en'), limit(90 * 60_000, 'en')]).toEqual([
      '5:18',
      '6 h',
      '1:30 h',
    ]);
  });
});

describe('moments', () => {
  it('names the day only where it is not today', () => {
    const noon = new Date(2026, 2, 5, 12, 0).getTime();
    expect(moment(noon, noon + H, 'en')).toBe('12:00');
    expect(moment(noon, noon + 24 * H, 'en')).toMatch(/5 Mar.*12:00/);
    expect(moment(noon + 400 * 24 * H, noon, 'en')).toMatch(/Apr \d{4}$/);
    expect(dayName(noon + 400 * 24 * H, 'zh', noon)).toMatch(/^\d{4}年4月/);
  });

  it('goes through a date field and back', () => {
    const at = Date.parse('2026-03-01T08:30:15Z');
    expect(fromLocalInput(toLocalInput(at))).toBe('2026-03-01T08:30:15.000Z');
    expect(fromLocalInput('')).toBeNull();
  });
});
