import { describe, expect, it } from 'vitest';
import { pieces, spanOf, WHOLE_MAX, type Piece } from './span';

const ROW = 47;
const BOX = 600;

/** How many rows a list of pieces stands for. */
const total = (list: Piece[]) => list.reduce((sum, piece) => sum + ('rows' in piece ? piece.rows : 1), 0);
const drawn = (list: Piece[]) => list.flatMap((piece) => ('at' in piece ? [piece.at] : []));

describe('a long list', () => {
  it('is drawn whole while it is short', () => {
    expect(spanOf(WHOLE_MAX, 0, BOX, ROW)).toEqual({ from: 0, to: WHOLE_MAX });
    expect(pieces(3, spanOf(3, 0, BOX, ROW), [])).toEqual([{ at: 0 }, { at: 1 }, { at: 2 }]);
    expect(pieces(0, spanOf(0, 0, BOX, ROW), [0])).toEqual([]);
  });

  it('draws what is in sight wherever it is scrolled, and little more', () => {
    for (const top of [0, 46, 470, 12_345, 4_900 * ROW, 5_000 * ROW - BOX]) {
      const { from, to } = spanOf(5_000, top, BOX, ROW);
      expect(from).toBeLessThanOrEqual(Math.floor(top / ROW));
      expect(to).toBeGreaterThanOrEqual(Math.min(5_000, Math.ceil((top + BOX) / ROW)));
      expect(to - from).toBeLessThan(45);
    }
  });

  it('shows its end when it became shorter than it is scrolled', () => {
    expect(spanOf(300, 5_000 * ROW, BOX, ROW)).toEqual({ from: 280, to: 300 });
  });

  it('keeps its length, whatever is drawn, and the kept rows', () => {
    const span = spanOf(5_000, 100_000, BOX, ROW);
    for (const kept of [[], [0], [4_999], [7, span.from, 4_000], [-1, 5_000], [3, 3]]) {
      const list = pieces(5_000, span, kept);
      expect(total(list)).toBe(5_000);
      expect(drawn(list)).toEqual([...drawn(list)].sort((a, b) => a - b));
      for (const at of kept) if (at >= 0 && at < 5_000) expect(drawn(list)).toContain(at);
    }
  });

  it('gives gaps keys of their own', () => {
    const gaps = pieces(5_000, { from: 100, to: 110 }, [50, 4_000]).flatMap((p) =>
      'gap' in p ? [p.gap] : [],
    );
    expect(gaps).toEqual([0, 1, 2, 3]);
  });
});
