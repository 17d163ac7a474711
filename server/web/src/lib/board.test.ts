import { describe, expect, it } from 'vitest';
import { apply, applyAll, engineTrouble, isStale, needsSnapshot, resolve } from './board';
import { board, due, fault, iso, MIN, T } from './board.fixtures';
import type { BoardEvent } from './types';
import type { BoardModel } from './board';
import { rows } from './rows';
import { againstLimit, interruptionMs, owed } from './deadline';

const order = (model: BoardModel, at = T) => rows(model, at).map((r) => r.fault.id);

describe('events that come together', () => {
  it('leave what they would leave one by one, and the model before them as it was', () => {
    const before = board(fault('a'), fault('b'), fault('c'));
    const events: BoardEvent[] = [
      { type: 'fault', data: { fault: fault('a', { state: 'acknowledged', feedback: due(30) }) } },
      { type: 'deadline', data: { fault: 'a', kind: 'feedback', mark: 'warn_80', at: iso(T) } },
      { type: 'fault', data: { fault: fault('b', { state: 'closed' }) } },
      { type: 'fault', data: { fault: fault('d', { aliases: ['c'] }) } },
      { type: 'deadline', data: { fault: 'c', kind: 'restoration', mark: 'warn_50', at: iso(T) } },
      { type: 'fault', data: { fault: fault('a', { state: 'dispatched', feedback: due(30) }) } },
      { type: 'tick', data: { as_of: iso(T + MIN), engine: { alive: true, lag_ms: 3 } } },
    ];
    const apart = events.reduce((model, event) => apply(model, event, T), before);
    const together = applyAll(before, events, T);
    expect(together).toEqual(apart);
    expect([...together.faults.keys()]).toEqual(['a', 'd']);
    expect(together.faults.get('a')?.marks).toEqual({ feedback: 'warn_80' });
    expect([...before.faults.keys()]).toEqual(['a', 'b', 'c']);
  });
});

describe('urgency', () => {
  it('is slipping from 80 % of the allowance on', () => {
    const f = fault('a', { started_at: iso(T), restoration: due(100) });
    expect(owed(f, 'restoration', T + 79 * MIN)?.urgency).toBe('calm');
    expect(owed(f, 'restoration', T + 80 * MIN)?.urgency).toBe('slipping');
  });

  it('believes a warning mark, and forgets it with the period that it belonged to', () => {
    const model = board(fault('a', { feedback: due(40) }));
    const mark = { fault: 'a', line: 'L-a', kind: 'feedback', mark: 'warn_80', at: iso(T) } as const;
    const warned = apply(model, { type: 'deadline', data: mark }, T);
    expect(rows(warned, T)[0]?.urgency).toBe('slipping');
    const next = apply(warned, { type: 'fault', data: { fault: fault('a', { feedback: due(70) }) } }, T);
    expect(rows(next, T)[0]?.urgency).toBe('calm');
  });

  it('leaves the faults alone when a promise of something else is told', () => {
    const model = board(fault('a'));
    const visit = { matter: 'm', customer: 'C', kind: 'visit', mark: 'missed', at: iso(T) };
    expect(apply(model, { type: 'deadline', data: visit }, T)).toBe(model);
    const answer = { fault: 'a', line: 'L-a', kind: 'answer', mark: 'missed', at: iso(T) };
    expect(apply(model, { type: 'deadline', data: answer }, T)).toBe(model);
  });

  it('drops a fault that a supervisor closed', () => {
    expect(board(fault('a', { state: 'closed_unconfirmed' })).faults.size).toBe(0);
  });

  it('judges a yearly figure against its limit', () => {
    expect(againstLimit(2, 4, 3)).toBe('calm');
    expect(againstLimit(3, 4, 3)).toBe('slipping');
    expect(againstLimit(4, 4, 3)).toBe('missed');
    expect(againstLimit(4, null, 3)).toBe('calm');
  });

  it('counts the interruption on while the outage runs, from when it was told', () => {
    const figure = { ms: 5 * MIN, limit_ms: null, year: 2026, running: true };
    expect(interruptionMs(fault('a', { interruption: figure }), T, T + MIN)).toBe(6 * MIN);
    expect(interruptionMs(fault('a', { interruption: { ...figure, running: false } }), T, T + MIN)).toBe(
      5 * MIN,
    );
  });
});

describe('events', () => {
  it('adds, changes and removes faults', () => {
    let model = board(fault('a'));
    model = apply(model, { type: 'fault', data: { fault: fault('b') } }, T);
    model = apply(model, { type: 'fault', data: { fault: fault('a', { state: 'dispatched' }) } }, T);
    expect(model.faults.get('a')?.fault.state).toBe('dispatched');
    model = apply(model, { type: 'fault', data: { fault: fault('a', { state: 'closed' }) } }, T);
    model = apply(model, { type: 'fault', data: { fault: fault('b', { state: 'withdrawn' }) } }, T);
    expect(order(model)).toEqual([]);
  });

  it('leaves the model it was given untouched', () => {
    const model = board(fault('a'));
    apply(model, { type: 'fault', data: { fault: fault('b') } }, T);
    expect(order(model)).toEqual(['a']);
  });

  it('keeps a suspected fault apart until evidence opens it', () => {
    const suspected = apply(
      board(),
      { type: 'fault', data: { fault: fault('s', { state: 'suspected' }) } },
      T,
    );
    expect([order(suspected), suspected.suspected.map((s) => s.id)]).toEqual([[], ['s']]);
    const opened = apply(suspected, { type: 'fault', data: { fault: fault('s') } }, T);
    expect([order(opened), opened.suspected]).toEqual([['s'], []]);
  });

  it('follows the engine by ticks and the agents by their events', () => {
    const engine = { alive: false, lag_ms: 9000 };
    let model = apply(board(), { type: 'tick', data: { as_of: iso(T + 5000), engine } }, T);
    expect([model.engine, model.asOfMs]).toEqual([engine, T + 5000]);
    model = apply(model, { type: 'agent', data: { name: 'a1', state: 'back' } }, T);
    model = apply(model, { type: 'agent', data: { name: 'a2', state: 'warned', warnings: ['disk_low'] } }, T);
    expect(model.agents.silent).toEqual([]);
    expect(model.agents.warned).toEqual([{ name: 'a2', warnings: ['disk_low'] }]);
  });

  it('drops a row whose fault is part of another now, keeps its marks, and finds it by the old id', () => {
    const mark = { fault: 'late', line: 'L', kind: 'restoration', mark: 'warn_80', at: iso(T) } as const;
    let model = apply(board(fault('late'), fault('other')), { type: 'deadline', data: mark }, T);
    model = apply(model, { type: 'fault', data: { fault: fault('early', { aliases: ['late'] }) } }, T);
    expect([...model.faults.keys()].sort()).toEqual(['early', 'other']);
    expect(model.faults.get('early')?.marks).toEqual({ restoration: 'warn_80' });
    expect(['late', 'early', 'other', 'nobody'].map((id) => resolve(model, id))).toEqual([
      'early',
      'early',
      'other',
      'nobody',
    ]);
    model = apply(model, { type: 'deadline', data: { ...mark, kind: 'feedback' } }, T);
    expect(model.faults.get('early')?.marks).toMatchObject({ feedback: 'warn_80' });
  });

  it('drops a suspicion that became part of a fault', () => {
    const model = {
      ...board(),
      suspected: [
        {
          id: 's',
          line: 'L',
          customer: 'C',
          customer_name: '',
          tier: 'AA',
          agent: 'a1',
          since: iso(T),
        },
      ],
    };
    const after = apply(model, { type: 'fault', data: { fault: fault('x', { aliases: ['s'] }) } }, T);
    expect(after.suspected).toEqual([]);
  });

  it('calls the engine dead or late, and trusts it otherwise', () => {
    expect(engineTrouble({ alive: false, lag_ms: 0 })).toBe('dead');
    expect(engineTrouble({ alive: true, lag_ms: 5_001 })).toBe('late');
    expect(engineTrouble({ alive: true, lag_ms: 5_000 })).toBeNull();
    expect(engineTrouble(undefined)).toBeNull();
  });

  it('knows which events need a new snapshot, and which came before the one shown', () => {
    expect(needsSnapshot({ type: 'reset', data: {} })).toBe(true);
    expect(needsSnapshot({ type: 'agent', data: { name: 'a', state: 'silent' } })).toBe(true);
    expect(needsSnapshot({ type: 'agent', data: { name: 'a', state: 'warned' } })).toBe(false);
    const model = board();
    const visit = { type: 'visit', data: { visit: 'v', complete: false } } as const;
    expect([needsSnapshot(visit), apply(model, visit, T)]).toEqual([false, model]);
    expect(['9', '10', '11', 'opaque'].map((cursor) => isStale(model, cursor))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
