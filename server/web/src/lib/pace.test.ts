import { describe, expect, it } from 'vitest';
import { APART_MS, Pace, STORM_APART_MS } from './pace';

/** When it is read again, if a change is heard of every so often. */
function readings(everyMs: number, untilMs: number, random = 0): number[] {
  const pace = new Pace();
  const read: number[] = [];
  let last = -Infinity;
  let dueMs = Infinity;
  for (let now = 0; now <= untilMs; now += 100) {
    if (now % everyMs === 0 && dueMs === Infinity) dueMs = Math.max(now, last + pace.heard(now, random));
    else if (now % everyMs === 0) pace.heard(now, random);
    if (now < dueMs) continue;
    read.push(now);
    [last, dueMs] = [now, Infinity];
    pace.read();
  }
  return read;
}

describe('how often pages read again', () => {
  it('is soon after a change that stands alone', () => {
    expect(readings(10_000, 30_000)).toEqual([0, 10_000, 20_000, 30_000]);
  });

  it('is ever more seldom while changes do not stop', () => {
    const read = readings(500, 120_000);
    const apart = read.slice(1).map((at, n) => at - read[n]!);
    expect(apart[0]).toBeLessThan(3 * APART_MS);
    expect(apart.at(-1)).toBeGreaterThanOrEqual(STORM_APART_MS);
    expect(apart.at(-1)).toBeLessThan(STORM_APART_MS + 1_000);
    expect(read.length).toBeLessThan(12);
  });

  it('is not at the same time on all boards', () => {
    expect(new Pace().heard(0, 1)).toBeGreaterThan(new Pace().heard(0, 0));
  });
});
