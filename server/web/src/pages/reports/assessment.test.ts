import { describe, expect, it } from 'vitest';
import { kindOf, rowsOf } from './assessment';

describe('an assessment', () => {
  it('is of a year, a quarter or a month', () => {
    expect(['2026', '2026-Q4', '2026-10', '2026-13', 'x'].map(kindOf)).toEqual([
      'year',
      'quarter',
      'month',
      null,
      null,
    ]);
  });

  it('opens to the rows behind a figure', () => {
    expect(
      rowsOf('/api/v1/reports/year/2026/rows?figure=restoration_missed&group=customer&key=C%201'),
    ).toEqual({
      kind: 'year',
      period: '2026',
      figure: 'restoration_missed',
      of: { group: 'customer', key: 'C 1' },
    });
    expect(rowsOf('/api/v1/reports/year/2026/rows?figure=faults')?.of).toBeNull();
    expect(rowsOf('/api/v1/reports/year/2026/rows?group=customer')).toBeNull();
    expect(rowsOf('/api/v1/lines/GX-1')).toBeNull();
  });
});
