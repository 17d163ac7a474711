import { describe, expect, it } from 'vitest';
import { awayNow, gradingOf, scores, standsIn, wantOf } from './people';
import type { Absence } from '../shift/types';
import type { Customer, Grading } from './types';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const away = (person: string, from: string, until: string): Absence => ({
  id: person + from,
  person,
  from: `2026-03-${from}T00:00:00Z`,
  until: `2026-03-${until}T00:00:00Z`,
  reason: '',
});
const customer = { manager: 'a', deputy: 'b' } as Customer;

describe('people', () => {
  it('are away within the time, and stand in for each other', () => {
    const list = [away('a', '01', '02'), away('a', '01', '05'), away('b', '04', '06')];
    expect(awayNow(list, 'a', NOW)?.until).toBe('2026-03-05T00:00:00Z');
    expect(awayNow(list, 'b', NOW)).toBeNull();
    expect(standsIn(list, customer, NOW)).toBe(true);
    expect(standsIn(list, customer, Date.parse('2026-03-04T12:00:00Z'))).toBe(false);
    expect(standsIn(list, { ...customer, deputy: null }, NOW)).toBe(false);
    expect(standsIn([], customer, NOW)).toBe(false);
  });

  it('lack what the API says', () => {
    expect(wantOf('contact_phone is missing')).toEqual({ field: 'contact_phone', value: null });
    const odd = 'contact_phone is no telephone number: ask: reception';
    expect(wantOf(odd)).toEqual({ field: 'contact_phone', value: 'ask: reception' });
    expect(wantOf('something else')).toEqual({ field: 'something else', value: null });
  });
});

describe('grading', () => {
  const named = (name: string) => ({ name, label: { zh: name, en: name } });
  const grading: Grading = {
    indicators: [
      { ...named('x'), weight: 40 },
      { ...named('y'), weight: 60 },
    ],
    grades: [],
    caps: [],
  };

  it('is by the own pack first', () => {
    const other = { ...grading, caps: [{ ...named('c'), grade: 'g' }] };
    const packs = [
      { name: 'p', version: '1', grading: other },
      { name: 'q', version: '1', grading },
      { name: 'r', version: '1', grading: null },
    ];
    expect(gradingOf(packs, 'q')).toBe(grading);
    expect(gradingOf(packs, 'r')).toBe(other);
    expect(gradingOf([], 'r')).toBeNull();
  });

  it('takes points up to the weight, all of them', () => {
    expect(scores(grading, { x: '12.5', y: 60 })).toEqual({ x: 12.5, y: 60 });
    expect(scores(grading, { x: '41', y: '1' })).toBeNull();
    expect(scores(grading, { x: '', y: '1' })).toBeNull();
    expect(scores(grading, { x: '-1', y: '1' })).toBeNull();
  });
});
