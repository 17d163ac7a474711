import { describe, expect, it } from 'vitest';
import { columns, others, promises, worstFirst } from './figures';
import type { FigureInfo, Figures, Report, ReportGroup } from './types';

const info = (name: string, section: FigureInfo['section'] = 'faults'): FigureInfo => ({
  name,
  section,
  unit: name.endsWith('_ms') ? 'ms' : 'count',
  rows_are: 'fault',
});

const report = (total: Figures): Report => ({
  kind: 'month',
  period: '2026-10',
  zones: [],
  complete: true,
  as_of: '',
  figures: [
    'faults',
    'restoration_kept',
    'restoration_kept_gross',
    'restoration_missed',
    'restoration_net_ms',
    'missed',
    'interruption_ms',
  ].map((name) => info(name)),
  total,
  ratios: {},
  group: 'tier',
  groups: [],
  versions: [],
});

const group = (key: string, figures: Figures): ReportGroup => ({
  key,
  label: { zh: key, en: key },
  figures,
  ratios: {},
  customer: null,
  year: null,
});

describe('a report', () => {
  it('shows promises as kept and missed, beside the period before', () => {
    const last = { restoration_kept: 1, restoration_missed: 3 };
    expect(promises(report({ restoration_kept: 3, restoration_missed: 1 }), last)).toEqual([
      { name: 'restoration', section: 'faults', kept: 3, missed: 1, share: 0.75, lastShare: 0.25 },
    ]);
    expect(promises(report({}), null)[0]).toMatchObject({ share: null, lastShare: null });
  });

  it('shows every other figure once, and no sum that is shown as a mean', () => {
    expect(others(report({ faults: 4 }), { faults: 2 }).map((f) => [f.name, f.value, f.last])).toEqual([
      ['faults', 4, 2],
      ['restoration_kept_gross', 0, 0],
      ['missed', 0, 0],
      ['interruption_ms', 0, 0],
    ]);
  });

  it('has those columns in which there is something', () => {
    const some = group('a', { faults: 0, matters: 1, matter_answer_kept: 0, visit_missed: 2 });
    expect(columns([some, group('b', {})]).map((column) => column.name)).toEqual(['matters', 'visit']);
    expect(columns([])).toEqual([]);
  });

  it('puts those with most misses on top', () => {
    const list = [
      group('a', { missed: 0, faults: 9 }),
      group('b', { missed: 2 }),
      group('c', { faults: 10 }),
    ];
    expect(worstFirst(list).map((g) => g.key)).toEqual(['b', 'c', 'a']);
  });
});
