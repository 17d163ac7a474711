import { describe, expect, it } from 'vitest';
import { urgencyOf, usedShare, type Availability } from './availability';

const item = (interruption_ms: number, allowance_ms: number, more = {}) =>
  ({
    interruption_ms,
    allowance_ms,
    left_ms: allowance_ms - interruption_ms,
    state: 'running',
    ...more,
  }) as Availability;

describe('availability', () => {
  it('slips as its allowance is used, and is missed beyond it', () => {
    expect([item(10, 100), item(80, 100), item(101, 100)].map(urgencyOf)).toEqual([
      'calm',
      'slipping',
      'missed',
    ]);
    expect(urgencyOf(item(10, 100, { state: 'missed' }))).toBe('missed');
  });

  it('uses all of an allowance of nothing with the first outage', () => {
    expect([item(0, 0), item(1, 0), item(300, 100)].map(usedShare)).toEqual([0, 1, 1]);
  });
});
