import { describe, expect, it } from 'vitest';
import { pageAt, pagesOf, TURN_MS } from './turn';

const turns = (pages: number, n: number) => Array.from({ length: n }, (_, i) => pageAt(i * TURN_MS, pages));

describe('the turning of pages', () => {
  it('stays where everything fits', () => {
    expect([pagesOf(0), pagesOf(8), pagesOf(9), pagesOf(17)]).toEqual([1, 1, 2, 3]);
    expect(turns(1, 3)).toEqual([0, 0, 0]);
  });

  it('comes back to what slips first every second turn, and misses no page', () => {
    expect(turns(2, 4)).toEqual([0, 1, 0, 1]);
    expect(turns(4, 8)).toEqual([0, 1, 0, 2, 0, 3, 0, 1]);
  });

  it('is right after a week', () => {
    const week = 7 * 86_400_000;
    expect(pageAt(week + 1, 3)).toBe(pageAt((week + 1) % (4 * TURN_MS), 3));
  });
});
