import { describe, expect, it } from 'vitest';
import { apply, type BoardModel } from './board';
import { board, due, fault, iso, MIN, T } from './board.fixtures';
import { finder, owedOf, rows, standingSo, tally, type Row } from './rows';
import type { Fault } from './types';

const order = (model: BoardModel, at = T) => rows(model, at).map((r) => r.fault.id);

describe('rows', () => {
  it('puts the longest overdue first, then the least time left, then paused, then what owes nothing', () => {
    const model = board(
      fault('calm', { restoration: due(200), feedback: due(50) }),
      fault('paused', { restoration: due(5, 'paused') }),
      fault('done', { restoration: due(-5, 'met', { met_at: iso(T) }) }),
      fault('missed', { restoration: due(-10, 'missed') }),
      fault('soon', { restoration: due(100), feedback: due(3) }),
      fault('long missed', { restoration: due(-90, 'missed') }),
    );
    expect(order(model)).toEqual(['long missed', 'missed', 'soon', 'calm', 'paused', 'done']);
  });

  it('does not owe what was met late, and what is met or cancelled', () => {
    const late = fault('a', {
      restoration: due(-10, 'missed', { met_at: iso(T) }),
      feedback: due(1, 'cancelled'),
    });
    expect(rows(board(late), T)[0]?.owed).toEqual([]);
  });

  it('counts a running promise as missed the moment its time is up, without being told', () => {
    const model = board(fault('a', { restoration: due(1) }));
    expect(rows(model, T + MIN)[0]?.urgency).toBe('slipping');
    expect(rows(model, T + MIN + 1)[0]?.urgency).toBe('missed');
  });

  it('never changes its order by the passing of time', () => {
    const model = board(fault('a', { feedback: due(30) }), fault('b', { restoration: due(20) }), fault('c'));
    expect(order(model, T + 500 * MIN)).toEqual(order(model, T));
  });

  it('keeps the clock of a paused promise still and shows a promise that runs beside it', () => {
    const model = board(fault('a', { restoration: due(5, 'paused'), feedback: due(40) }));
    const row = rows(model, T + 20 * MIN)[0]!;
    expect(owedOf(row, T + 20 * MIN).map((o) => [o.kind, o.leftMs / MIN])).toEqual([
      ['feedback', 20],
      ['restoration', 5],
    ]);
  });
});

describe('rows of a moment later', () => {
  const [a, b, c] = [
    fault('a', { restoration: due(100) }),
    fault('b', { restoration: due(50) }),
    fault('c', { restoration: null, started_at: iso(T) }),
  ];
  const told = (model: BoardModel, it: Fault) => apply(model, { type: 'fault', data: { fault: it } }, T);

  it('are the very same list while nothing changes but the time', () => {
    const first = rows(board(a, b, c), T);
    expect(rows(told(board(), a), T, [])).toHaveLength(1);
    const model = board(a, b, c);
    const before = rows(model, T);
    expect(rows(model, T + MIN, before)).toBe(before);
    // Another model, be it of the same faults, has entries of its own.
    expect(rows(model, T, first)).not.toBe(first);
  });

  it('are new only where a promise came to stand otherwise', () => {
    const model = board(a, b, c);
    const before = rows(model, T);
    const after = rows(model, T + 51 * MIN, before);
    expect(after.map(({ fault: { id }, urgency }) => [id, urgency])).toEqual([
      ['b', 'missed'],
      ['a', 'calm'],
      ['c', 'none'],
    ]);
    expect(after.map((row) => before.includes(row))).toEqual([false, true, true]);
    // A clock that is set back is followed back.
    expect(rows(model, T, after).map(({ urgency }) => urgency)).toEqual(['calm', 'calm', 'none']);
  });

  it('keep what others do when one fault changes, comes or goes', () => {
    const model = board(a, b, c);
    const before = rows(model, T);
    const moved = told(told(model, { ...b, restoration: due(200) }), fault('d', { restoration: due(150) }));
    const after = rows(told(moved, { ...c, state: 'closed' }), T, before);
    expect(after.map(({ fault: { id } }) => id)).toEqual(['a', 'd', 'b']);
    expect(after[0]).toBe(before[1]);
  });

  it('are what they would be without any before, whatever happened', () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const some = (): Fault =>
      fault(`f${random(30)}`, {
        state: (['open', 'acknowledged', 'closed', 'withdrawn'] as const)[random(4)]!,
        restoration: random(5) ? due(random(300) - 100, random(4) ? 'running' : 'paused') : null,
        feedback: random(2) ? due(random(90) - 30, random(4) ? 'running' : 'paused') : null,
        aliases: random(6) ? [] : [`f${random(30)}`],
      });
    let model = board();
    let known: readonly Row[] = [];
    for (let n = 0; n < 500; n += 1) {
      for (let i = random(4); i > 0; i -= 1) model = told(model, some());
      const at = T + random(200) * MIN - 50 * MIN;
      known = rows(model, at, known);
      expect(known).toEqual(rows(model, at));
    }
  });
});

describe('a list of rows', () => {
  it('counts rows by standing and finds them by any word', () => {
    const list = rows(board(fault('a', { restoration: due(-1) }), fault('b', { site: 'North hall' })), T);
    expect(tally(list)).toEqual({ all: 2, missed: 1, slipping: 0, calm: 1, paused: 0 });
    expect(list.filter(({ fault: it }) => finder('north  L-b')!(it)).map((r) => r.fault.id)).toEqual(['b']);
    expect(standingSo(list, 'missed').map((r) => r.fault.id)).toEqual(['a']);
    expect(finder('  ')).toBeNull();
  });
});
