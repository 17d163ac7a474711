import { describe, expect, it } from 'vitest';
import { unsentText } from './unsent';

const NOW = Date.parse('2026-03-02T12:00:00Z');
const lane = (lane: string, records: number, since_at: string) => ({ lane, records, since_at });

describe('what an agent has not sent', () => {
  it('is counted over its lanes, as old as the oldest of them', () => {
    const unsent = [lane('desk', 2, '2026-03-02T09:00:00Z'), lane('summary', 1300, '2026-03-02T07:00:00Z')];
    expect(unsentText({ unsent, parts_missing: 0 }, NOW, 'en')).toBe('1,302 records · for 5 h');
    expect(unsentText({ unsent, parts_missing: 3 }, NOW, 'zh')).toBe('1,302 条记录 · 3 张照片 · 已 5小时');
  });

  it('may be photos alone, or nothing', () => {
    expect(unsentText({ unsent: [], parts_missing: 1 }, NOW, 'en')).toBe('1 photo');
    expect(unsentText({ unsent: [], parts_missing: 0 }, NOW, 'en')).toBe('');
  });
});
