import { describe, expect, it } from 'vitest';
import type { Fact } from '../../lib/types';
import { EMPTY, missing, posting, rareSteps } from './rare';
import { clocks, kept, openings, told } from './story';
import type { FullFault } from './types';

const MINUTE = 60_000;
const fact = (id: string, kind: string): Fact => ({
  id,
  kind,
  occurred_at: '2026-03-01T08:00:00Z',
  recorded_at: '2026-03-01T08:00:00Z',
  by: 'noc',
  late: false,
  corrected_ms: 0,
  uncertain: false,
  misfit: null,
});
const base = {
  id: 'f1',
  aliases: ['f2'],
  state: 'open',
  restored_at: null,
  closed_at: null,
  proposed_restored_at: null,
  degraded: false,
  gross_ms: 10 * MINUTE,
  net_ms: 8 * MINUTE,
  restoration: { state: 'running', due_at: '', remaining_ms: 0 },
  facts: [fact('f1', 'reported'), fact('x', 'feedback'), fact('f2', 'down'), fact('y', 'up')],
  deadlines: [],
  possible: ['merged', 'split', 'closed_unconfirmed', 'note'],
} as unknown as FullFault;
const but = (over: object) => ({ ...base, ...over }) as FullFault;

describe('the story of a fault', () => {
  it('lets its clocks grow only while they run', () => {
    const after = (over: object) => clocks(but(over), 0, MINUTE);
    expect(after({})).toEqual({ grossMs: 11 * MINUTE, netMs: 9 * MINUTE });
    expect(after({ restoration: { state: 'paused' } })).toEqual({ grossMs: 11 * MINUTE, netMs: 8 * MINUTE });
    expect(after({ restoration: { state: 'missed', met_at: null } }).netMs).toBe(9 * MINUTE);
    expect(after({ restored_at: 'then' })).toEqual({ grossMs: 10 * MINUTE, netMs: 8 * MINUTE });
    const back = after({ proposed_restored_at: 'then' });
    expect(back).toEqual({ grossMs: 10 * MINUTE, netMs: 9 * MINUTE });
  });

  it('lists what was told, and counts the periods', () => {
    expect(told([fact('a', 'feedback'), fact('b', 'note'), fact('c', 'callback')]).map((f) => f.id)).toEqual([
      'c',
      'a',
    ]);
    const of = (kind: string, state: string) => ({ kind, state }) as never;
    expect(kept([of('feedback', 'met'), of('feedback', 'missed'), of('repair', 'met')])).toEqual({
      met: 1,
      missed: 1,
    });
  });
});

describe('decisions', () => {
  it('are offered by role and by what fits', () => {
    expect(openings(base).map((f) => f.id)).toEqual(['f1', 'f2']);
    expect(rareSteps(base, 'noc')).toEqual(['merged', 'split']);
    expect(rareSteps(base, 'admin')).toEqual(['merged', 'split', 'closed_unconfirmed', 'rerated']);
    expect(rareSteps(but({ aliases: [], state: 'closed', possible: ['merged'] }), 'admin')).toEqual([
      'merged',
    ]);
  });

  it('say what is wanting', () => {
    expect(missing('merged', EMPTY, base)).toBe('into');
    expect(missing('split', EMPTY, base)).toBe('reports');
    expect(missing('split', { ...EMPTY, reports: ['f1', 'f2'] }, base)).toBe('oneStays');
    expect(missing('split', { ...EMPTY, reports: ['f2'] }, base)).toBeNull();
    expect(missing('rerated', { ...EMPTY, reason: 'x' }, base)).toBe('nothingChanged');
    expect(missing('rerated', { ...EMPTY, tier: 'A' }, base)).toBe('reason');
    expect(missing('closed_unconfirmed', { ...EMPTY, reason: ' ' }, base)).toBe('reason');
  });

  it('are posted as the API wants them', () => {
    expect(posting('merged', { ...EMPTY, into: 'f9', note: ' same ' }, base, null)).toEqual({
      path: '/faults/f1/facts',
      body: { kind: 'merged', into: 'f9', note: 'same' },
    });
    expect(posting('rerated', { ...EMPTY, tier: 'AAA', reason: 'r' }, base, '2').body).toEqual({
      tier: 'AAA',
      reason: 'r',
    });
    const renewed = posting('rerated', { ...EMPTY, renew: true, reason: 'r' }, base, '2');
    expect(renewed).toEqual({ path: '/faults/f1/re-rate', body: { pack_version: '2', reason: 'r' } });
  });
});
