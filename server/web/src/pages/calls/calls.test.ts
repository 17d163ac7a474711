import { describe, expect, it } from 'vitest';
import type { Row } from '../../lib/rows';
import type { Matter } from '../../lib/matter';
import { callsOf, following, groupOf, keyOf, sharedNodes } from './calls';
import { outcomesOf, triesOfFault, triesOfMatter } from './outcomes';
import { scriptOf } from './script';
import type { Call, CallFault } from './types';

const T = Date.parse('2026-03-01T08:00:00Z');
const MIN = 60_000;
const iso = (minutes: number) => new Date(T + minutes * MIN).toISOString();
const promise = (minutes: number, allowance: number, state = 'running') => ({
  due_at: iso(minutes),
  state,
  remaining_ms: minutes * MIN,
  met_at: null,
  allowance_ms: allowance * MIN,
});

function fault(id: string, more: Partial<CallFault> = {}): CallFault {
  return {
    id,
    line: `L-${id}`,
    site: 'hall 1',
    customer: 'C1',
    customer_name: 'Sample customer',
    state: 'dispatched',
    started_at: iso(-90),
    reported: true,
    degraded: false,
    upstream: null,
    restored_at: null,
    restoration: promise(30, 120),
    feedback: null,
    callback: null,
    supervisor: null,
    ...more,
  } as CallFault;
}

function matter(id: string, more: Partial<Matter> = {}): Matter {
  return {
    id,
    kind: 'complaint',
    customer: 'C2',
    title: 'no invoice',
    state: 'answered',
    opened_at: iso(-600),
    resolved_at: null,
    deadlines: [
      due('resolution', -600, 840),
      due('progress', -600, 40),
      due('callback', -600, 10, 'cancelled'),
    ],
    ...more,
  } as Matter;
}

const due = (kind: string, from: number, to: number, state = 'running') => ({
  kind,
  period: kind,
  started_at: iso(from),
  due_at: iso(to),
  state: state as 'running',
  met_at: null,
  remaining_ms: to * MIN,
  history: [],
});

const rows = (...faults: CallFault[]) => faults.map((it) => ({ fault: it }) as unknown as Row);
const calls = () =>
  callsOf(
    rows(
      fault('a', { feedback: promise(20, 30) as never, upstream: 'node-1' }),
      fault('b', { state: 'repaired', callback: promise(-5, 1440, 'missed') as never }),
      fault('c', { feedback: promise(25, 30) as never, upstream: 'node-1' }),
      fault('d', {
        state: 'repaired',
        callback: promise(9, 99, 'cancelled') as never,
        supervisor: promise(300, 1440) as never,
      }),
    ),
    [matter('m')],
    T,
  );

describe('calls owed', () => {
  it('stand in the order of what is due, faults and matters together', () => {
    expect(calls().map(keyOf)).toEqual([
      'callback/b',
      'feedback/a',
      'feedback/c',
      'progress/m',
      'supervisor/d',
    ]);
    expect(calls()[0]!.standing).toMatchObject({ urgency: 'missed', leftMs: -5 * MIN });
    expect(groupOf('supervisor')).toBe('callback');
  });

  it('are followed by the next one, and share a node', () => {
    expect(keyOf(following(calls(), 'feedback/a')!)).toBe('feedback/c');
    expect(keyOf(following(calls(), 'supervisor/d')!)).toBe('callback/b');
    expect(following([], 'x')).toBeNull();
    expect(sharedNodes(calls())).toEqual([{ name: 'node-1', count: 2 }]);
  });

  it('have outcomes of their own', () => {
    const [callback, feedback, , progress] = calls() as [Call, Call, Call, Call];
    expect(outcomesOf(feedback).map((o) => o.body)).toEqual([
      { kind: 'feedback', reached: true },
      { kind: 'feedback', reached: false },
    ]);
    expect(outcomesOf(callback).map((o) => o.name)).toEqual([
      'satisfied',
      'unsatisfied',
      'stillDown',
      'notReached',
    ]);
    expect(outcomesOf(progress)[0]!.body).toEqual({ kind: 'told', reached: true });
    const asked: Call = { ...progress, kind: 'callback' };
    expect(outcomesOf(asked).map((o) => o.name)).toEqual(['satisfied', 'unhappy', 'notReached']);
  });

  it('know what was tried', () => {
    const fact = (id: string, more: object) => ({
      id,
      kind: 'callback',
      occurred_at: iso(0),
      by: 'noc',
      ...more,
    });
    const facts = [
      fact('1', { reached: false }),
      fact('2', { result: 'unsatisfied', service: 'down', note: 'x' }),
    ];
    expect(triesOfFault(facts, 'supervisor').map((one) => one.result)).toEqual(['still_down', 'not_reached']);
    expect(triesOfFault(facts, 'feedback')).toEqual([]);
    const told = { ...fact('3', {}), kind: 'told', detail: { step: { told: { reached: false } } } };
    const asked = { ...fact('4', {}), detail: { step: { callback: 'satisfied' } } };
    expect(triesOfMatter([told, asked], 'progress').map((one) => one.result)).toEqual(['not_reached']);
    expect(triesOfMatter([told, asked], 'callback').map((one) => one.result)).toEqual(['satisfied']);
  });
});

describe('what to say', () => {
  const say = (call: Call, locale: 'en' | 'zh' = 'en') =>
    scriptOf(call, { nowMs: T, todayMs: T, locale }).join(' ');
  const of = (more: Partial<CallFault>) =>
    calls().find((c) => c.id === 'a')! && callsOf(rows(fault('a', more)), [], T)[0]!;

  it('says since when, what is done, by when, and when the next word comes', () => {
    const feedback = promise(20, 30) as never;
    expect(say(of({ feedback }))).toMatch(
      /L-a at hall 1.*for 1 h 30 min.*technician has been sent.*restore service by.*again by/,
    );
    expect(say(of({ feedback }), 'zh')).toMatch(/hall 1的专线 L-a.*1小时30分.*已派维护员/);
    expect(say(of({ feedback, restoration: promise(-5, 9) as never }))).toMatch(/was to be back by/);
    expect(say(of({ feedback, degraded: true, reported: false }))).toMatch(
      /working badly.*noticed it ourselves/,
    );
    expect(say(of({ feedback, restored_at: iso(-10), state: 'restored' }))).toMatch(
      /came back at .* after 1 h 20 min/,
    );
  });

  it('asks after the work, and tells of a matter', () => {
    expect(say(calls()[0]!)).toMatch(/is repaired.*satisfied/);
    const [told] = callsOf([], [matter('m')], T);
    expect(say(told!)).toMatch(/your complaint .*no invoice.*working on it.*solved by.*again by/);
    const done = matter('m', {
      state: 'resolved',
      resolved_at: iso(-5),
      deadlines: [due('callback', 0, 60)],
    });
    expect(say(callsOf([], [done], T)[0]!)).toMatch(/dealt with at/);
  });
});
