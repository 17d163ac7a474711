import { describe, expect, it } from 'vitest';
import { inSight, isOpen, standingOf, type Alert } from './alert';

const alert = (key: string, fields: Partial<Alert> = {}): Alert => ({
  key,
  kind: 'restoration',
  mark: 'missed',
  at: '2026-03-02T02:00:00Z',
  due_at: '2026-03-02T02:00:00Z',
  rung: 0,
  steps: 2,
  next_at: null,
  next_to: [],
  ended: null,
  acknowledged: null,
  told: [],
  ...fields,
});
const taken = { by: 'noc', at: '2026-03-02T02:05:00Z', how: 'desk' };

describe('an alert', () => {
  it('stands as its ladder does, until somebody takes it', () => {
    const next_at = '2026-03-02T02:15:00Z';
    expect(standingOf(alert('a', { next_at }))).toBe('climbing');
    expect(standingOf(alert('a', { next_at, acknowledged: taken }))).toBe('taken');
    expect(standingOf(alert('a', { rung: 2 }))).toBe('unheard');
    expect(standingOf(alert('a', { rung: 1, ended: 'settled' }))).toBe('over');
    expect(standingOf(alert('a', { steps: 0 }))).toBe('told');
    expect([alert('a', { rung: 2 }), alert('a', { steps: 0 })].map(isOpen)).toEqual([true, false]);
  });

  it('stays in sight while somebody has to take it, however many came after', () => {
    const list = [
      alert('1', { rung: 2 }),
      alert('2', { steps: 0 }),
      alert('3', { acknowledged: taken }),
      alert('4', { steps: 0 }),
    ];
    expect(inSight(list, 2).map(({ key }) => key)).toEqual(['1', '4', '3']);
    expect(inSight(list, Infinity).map(({ key }) => key)).toEqual(['1', '4', '3', '2']);
  });
});
