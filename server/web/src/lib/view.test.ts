import { describe, expect, it } from 'vitest';
import type { Row } from './rows';
import type { Fault } from './types';
import { choices, chosen, EVERYTHING, MINE, readView, readViews, withView, writeView } from './view';

const row = (fields: Partial<Fault>): Row =>
  ({
    fault: { id: 'f', line: 'L1', customer: 'C1', customer_name: 'Sample', tier: 'A', ...fields },
    owed: [],
    urgency: 'calm',
  }) as unknown as Row;

describe('a view', () => {
  it('stands in the address and is read back', () => {
    const view = {
      filter: 'missed',
      words: 'a b',
      region: '华东',
      tier: 'AAA',
      owner: MINE,
      state: 'open',
    } as const;
    expect(readView(new URLSearchParams(writeView(view)))).toEqual(view);
    expect(writeView(EVERYTHING)).toBe('');
    expect(readView(new URLSearchParams('show=nonsense'))).toEqual(EVERYTHING);
  });

  it('chooses by region, tier, owner, state and words, all of them', () => {
    const fault = row({ owner: 'east', state: 'open', tier: 'AAA', region: 'North' });
    const isChosen = (view: object) => chosen([fault], { ...EVERYTHING, ...view }, 'east').length > 0;
    expect(
      [{}, { tier: 'AAA' }, { owner: MINE }, { owner: 'east', region: 'North', state: 'open' }].map(isChosen),
    ).toEqual([true, true, true, true]);
    expect([{ region: 'Nor' }, { owner: 'west' }, { tier: 'AAA', words: 'other' }].map(isChosen)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('offers what open faults have', () => {
    const rows = [
      row({ tier: 'AAA', owner: 'west' }),
      row({ owner: 'east', region: 'North' }),
      row({ owner: null, region: 'East' }),
    ];
    const { regions, tiers, owners } = choices(rows);
    expect([regions, tiers.map(([name]) => name), owners]).toEqual([
      ['East', 'North'],
      ['A', 'AAA'],
      ['east', 'west'],
    ]);
  });

  it('is kept under a name, once', () => {
    const views = withView([{ name: 'b', query: 'tier=A' }], { name: 'a', query: '' });
    expect(withView(views, { name: 'b', query: 'tier=AA' })).toEqual([
      { name: 'a', query: '' },
      { name: 'b', query: 'tier=AA' },
    ]);
    for (const broken of [null, '{', '{}', '[1,{"name":2}]']) expect(readViews(broken)).toEqual([]);
  });
});
