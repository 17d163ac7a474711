import { expect, it } from 'vitest';
import { count, share } from './numbers';

it('writes numbers as the reader does', () => {
  expect([count(12345, 'en'), count(12345, 'zh')]).toEqual(['12,345', '12,345']);
  expect([share(0.987, 'en'), share(0.5, 'zh'), share(1, 'en')]).toEqual(['98.7%', '50%', '100%']);
});

it('never rounds a miss away', () => {
  expect(share(0.99999, 'en')).toBe('99.9%');
  expect(share(0.999999, 'en', 3)).toBe('99.999%');
});
