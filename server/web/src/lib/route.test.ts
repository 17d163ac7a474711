import { describe, expect, it } from 'vitest';
import { faultInHash, hashOf, hrefOf, parseRoute, queryOf } from './route';

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

  it('names a page and what of it', () => {
    expect(parseRoute(hrefOf('lines', 'GX 1/2'))).toMatchObject({ page: 'lines', rest: ['GX 1/2'] });
    const { page, query } = parseRoute('#/matters?kind=complaint&q=a%20b');
    expect([page, query.get('kind'), query.get('q')]).toEqual(['matters', 'complaint', 'a b']);
    expect(parseRoute('#/wall').page).toBe('wall');
  });

  it('has behind its `?` what has a value', () => {
    expect(queryOf({ a: 'x y', b: null, c: undefined, d: '' })).toBe('a=x+y&d=');
  });

  it('narrows the board', () => {
    expect(parseRoute('#/?tier=AAA').query.get('tier')).toBe('AAA');
    expect(parseRoute('#/nowhere?tier=AAA').query.get('tier')).toBeNull();
  });

  it('is the board when it says nothing known', () => {
    for (const hash of ['', '#', '#/', '#/faults/x', '#/nowhere/x', '#/%zz', hrefOf('board')])
      expect(parseRoute(hash).page).toBe('board');
  });
});
