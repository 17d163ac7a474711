import { describe, expect, it } from 'vitest';
import {
  apply,
  applyAll,
  engineTrouble,
  fromSnapshot,
  isStale,
  matches,
  needsSnapshot,
  resolve,
  rows,
  tally,
  type BoardModel,
} from './board';
import { againstLimit, interruptionMs, owed } from './deadline';
import type { BoardEvent, Deadline, Fault, Snapshot } from './types';

const T = Date.parse('2026-03-01T08:00:00Z');
const MIN = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

function due(minutes: number, state: Deadline['state'] = 'running', more: Partial<Deadline> = {}): Deadline {
  return { due_at: iso(T + minutes * MIN), state, remaining_ms: minutes * MIN, ...more };
}

function fault(id: string, more: Partial<Fault> = {}): Fault {
  return {
    id,
    line: `L-${id}`,
    line_state: 'down',
    site: null,
    service: 'internet',
    upstream: null,
    customer: 'C-1',
    customer_name: 'Sample customer',
    tier: 'AA',
    tier_label: null,
    state: 'open',
    started_at: iso(T - 60 * MIN),
    reported: true,
    aliases: [],
    pack: 'group-line 2026.1',
    detected_at: null,
    reported_at: null,
    proposed_restored_at: null,
    restored_at: null,
    closed_at: null,
    exempt: null,
    follows: null,
    restoration: due(180),
    feedback: null,
    repair: null,
    callback: null,
    repeat: null,
    interruption: null,
    owner: null,
    contact: null,
    possible: [],
    ...more,
  };
}

function board(...faults: Fault[]): BoardModel {
  const snapshot: Snapshot = {
    as_of: iso(T),
    cursor: '10',
    engine: { alive: true, lag_ms: 0 },
    faults,
    suspected: [],
    agents: {
      total: 2,
      silent: [{ name: 'a1', last_seen_at: null, silent_since: iso(T), lines: 3 }],
      warned: [],
    },
  };
  return fromSnapshot(snapshot);
}

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
    const row = rows(model, T + 20 * MIN)[0];
    expect(row?.owed.map((o) => [o.kind, o.leftMs / MIN])).toEqual([
      ['feedback', 20],
      ['restoration', 5],
    ]);
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
    expect(['9', '10', '11', 'opaque'].map((cursor) => isStale(model, cursor))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('tally and matches', () => {
  it('counts rows by standing and finds them by any word', () => {
    const list = rows(board(fault('a', { restoration: due(-1) }), fault('b', { site: 'North hall' })), T);
    expect(tally(list)).toEqual({ all: 2, missed: 1, slipping: 0, calm: 1, paused: 0 });
    expect(list.filter((r) => matches(r, 'all', 'north  L-b')).map((r) => r.fault.id)).toEqual(['b']);
    expect(list.filter((r) => matches(r, 'missed', '')).map((r) => r.fault.id)).toEqual(['a']);
  });
});
