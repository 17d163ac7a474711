import { expect, it } from 'vitest';
import { countsSaid } from './erasure';

it('says what is erased in words, and nothing of what is not', () => {
  expect(countsSaid({ contacts: 2, facts: 0, of_a_later_server: 1200 }, 'en')).toBe(
    'contacts 2 · of a later server 1,200',
  );
  expect(countsSaid({ contacts: 2 }, 'zh')).toBe('联系人 2');
  expect(countsSaid(null, 'en')).toBe('');
});
