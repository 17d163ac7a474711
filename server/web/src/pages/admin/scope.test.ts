import { describe, expect, it } from 'vitest';
import { isNothing, joined, lines } from './scope';

describe('what a user is given to see', () => {
  it('stands on lines of its own, whatever the names are', () => {
    expect(lines(' east\r\nSample Lines, Ltd. \n\n东，西\neast\n')).toEqual([
      'east',
      'Sample Lines, Ltd.',
      '东，西',
    ]);
    expect(lines(' \n')).toEqual([]);
  });

  it('is shown in a row', () => {
    expect(joined(['C001', 'C002'], 'en')).toBe('C001, C002');
    expect(joined(['C001', 'C002'], 'zh')).toBe('C001、C002');
  });

  it('may be nothing', () => {
    expect(isNothing({ persons: [], regions: [], customers: [] })).toBe(true);
    expect(isNothing({ persons: [], regions: ['east'], customers: [] })).toBe(false);
  });
});
