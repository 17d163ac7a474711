import { describe, expect, it } from 'vitest';
import { isNothing, joined, parts } from './scope';

describe('what a user is given to see', () => {
  it('is taken apart at commas of either language', () => {
    expect(parts(' east, west，north、 east;\n')).toEqual(['east', 'west', 'north']);
    expect(parts(' ，')).toEqual([]);
  });

  it('is typed as it is shown', () => {
    for (const locale of ['en', 'zh'])
      expect(parts(joined(['C001', 'C002'], locale))).toEqual(['C001', 'C002']);
  });

  it('may be nothing', () => {
    expect(isNothing({ persons: [], regions: [], customers: [] })).toBe(true);
    expect(isNothing({ persons: [], regions: ['east'], customers: [] })).toBe(false);
  });
});
