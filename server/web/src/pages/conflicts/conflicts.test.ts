import { describe, expect, it } from 'vitest';
import { placesOf, whatOf } from './about';

describe('a conflict', () => {
  it('says what was done, in words', () => {
    expect(whatOf({ kind: 'step', what: 'restored' }, 'en')).toBe('Step of a fault: Restored');
    expect(whatOf({ kind: 'deed', what: 'told' }, 'zh')).toContain('事项步骤：');
    expect(whatOf({ kind: 'opened', what: 'defect' }, 'en')).toBe('Taken in on site: Defect');
    expect(whatOf({ kind: 'visit', what: 'visit' }, 'en')).toBe('Visit report');
    expect(whatOf({ kind: 'later_kind' as 'step', what: '' }, 'en')).toBe('later kind');
  });

  it('leads to the report itself, its fault and its matter', () => {
    const bare = { id: 'r1', fault: null, matter: null };
    expect(placesOf({ ...bare, kind: 'visit', fault: 'f1', matter: 'm1' })).toEqual([
      { to: 'report', href: '#/visits/report/r1' },
      { to: 'fault', href: '#/fault/f1' },
      { to: 'matter', href: '#/matters/m1' },
    ]);
    expect(placesOf({ ...bare, kind: 'step', fault: 'f1' }).map(({ to }) => to)).toEqual(['fault']);
    // Nothing was opened under its id yet, perhaps.
    expect(placesOf({ ...bare, kind: 'opened' })).toEqual([]);
  });
});
