import { describe, expect, it } from 'vitest';
import { faultInHash, hashOf } from './route';

describe('the address', () => {
  it('names the open fault, and is read back', () => {
    expect(faultInHash('#/faults/0198-ab')).toBe('0198-ab');
    expect(faultInHash(hashOf('a b/c'))).toBe('a b/c');
    expect(hashOf(null)).toBe('');
  });

  it('names nothing when it is something else or broken', () => {
    for (const hash of ['', '#', '#/faults/', '#/faults/a/b', '#/lines/x', '#/faults/%zz'])
      expect(faultInHash(hash)).toBeNull();
  });
});
