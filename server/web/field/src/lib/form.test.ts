// The same cases as the tests of `shared/src/rules/form.rs`: the page, the agent and the server judge alike.

import { describe, expect, it } from 'vitest';
import { ANSWER_CHARS_MAX, askedOnly, isAmiss, isAsked, isWithin, lacksOf, type Answers } from './form';
import type { FieldOf, Label } from './types';

const label = (en: string): Label => ({ zh: en, en });
const field = (name: string, kind: FieldOf['kind'], more: Partial<FieldOf> = {}): FieldOf => ({
  name,
  label: label(name),
  kind,
  range: null,
  choices: [],
  required: false,
  when: null,
  help: null,
  ...more,
});

const FORM = {
  fields: [
    field('work', 'choice', {
      required: true,
      choices: [
        ['fibre', label('Fibre')],
        ['copper', label('Copper')],
      ],
    }),
    field('power', 'number', {
      range: { unit: 'dBm', at_least: -24, at_most: -8 },
      required: true,
      when: { field: 'work', is: ['fibre'] },
    }),
    field('strap', 'yes_no'),
    field('words', 'paragraph'),
  ],
};
const power = FORM.fields[1]!;
const lacks = (answers: Answers) => lacksOf(FORM, answers).map(({ field, why }) => [field, why]);

describe('what a form asks', () => {
  it('depends on what was answered', () => {
    expect(lacks({})).toEqual([['work', 'missing']]);
    expect(lacks({ work: 'fibre' })).toEqual([['power', 'missing']]);
    expect(lacks({ work: 'copper' })).toEqual([]);
    expect(lacks({ work: 'copper', power: -30 })).toEqual([['power', 'unasked']]);
    // Out of range is what was measured.
    expect(lacks({ work: 'fibre', power: -30 })).toEqual([]);
    expect(isAmiss(power, -30)).toBe(true);
    expect(lacks({ work: 'satellite' })).toEqual([['work', 'wrong']]);
    expect(lacks({ work: 'copper', words: true })).toEqual([['words', 'wrong']]);
    expect(lacks({ work: 'copper', colour: true })).toEqual([['colour', 'unasked']]);
    expect(lacks({ work: 'copper', words: 'x'.repeat(ANSWER_CHARS_MAX + 1) })).toEqual([
      ['words', 'too_long'],
    ]);
    expect(lacks({ work: 'copper', words: '线'.repeat(ANSWER_CHARS_MAX) })).toEqual([]);
  });

  it('is not asked where what it hangs on is not asked either', () => {
    const broken = field('broken', 'yes_no', { when: { field: 'work', is: ['fibre'] } });
    const far = field('far', 'number', { when: { field: 'broken', is: ['yes'] } });
    const form = { fields: [FORM.fields[0]!, broken, far] };
    const asked = (answers: Answers) => isAsked(form, far, answers);
    expect(asked({ work: 'fibre', broken: true })).toBe(true);
    expect(asked({ work: 'fibre', broken: false })).toBe(false);
    expect(asked({ work: 'copper', broken: true })).toBe(false);
    expect(asked({ work: 'fibre' })).toBe(false);
  });

  it('marks a no, and a number out of its range as it is kept: in thousandths', () => {
    const range = power.range!;
    expect([isWithin(range, -24), isWithin(range, -24.0004), isWithin(range, -24.001)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isWithin({ ...range, at_most: null }, 40)).toBe(true);
    expect(isAmiss(power, undefined)).toBe(false);
    expect([isAmiss(FORM.fields[2]!, false), isAmiss(FORM.fields[2]!, true)]).toEqual([true, false]);
  });

  it('finds a text wrong where a number is asked: it was typed, and is no number', () => {
    expect(lacks({ work: 'fibre', power: '-1O' })).toEqual([['power', 'wrong']]);
  });

  it('sends only what is asked', () => {
    expect(askedOnly(FORM, { work: 'copper', power: -10, strap: false, colour: 'x' })).toEqual({
      work: 'copper',
      strap: false,
    });
  });
});
