import { describe, expect, it } from 'vitest';
import { answersOf, headOf, pointsOf, saidOf } from './paper';
import { itemsOf, wholeVisit } from './shapes';
import type { ToldVisit } from './types';

const label = (zh: string, en: string) => ({ zh, en });
const range = { unit: 'dBm', at_least: -24, at_most: -8 };

/** A finished report as an agent tells it. */
const TOLD: ToldVisit = {
  id: '0190aaaa-0000-7000-8000-000000000001',
  at: '2026-03-01T08:00:00Z',
  by: 'technician-1',
  state: 'here',
  customer_name: 'Sample Bank',
  device: 'sample-laptop',
  visit: {
    customer: 'C001',
    purpose: 'sample purpose',
    met: 'duty desk',
    site: '',
    promised: [{ title: 'labels', until: Date.parse('2026-03-05T12:00:00Z') }],
    points: [{ name: 'rack', ok: false, reading: -30, note: 'dirty' }],
    satisfied: false,
    answers: [
      { field: 'power', value: { number: -30 } },
      { field: 'strap', value: { flag: true } },
      { field: 'medium', value: { text: 'fibre' } },
      { field: 'gone', value: { text: 'kept' } },
    ],
  },
  form: {
    pack: 'p',
    version: '1',
    name: 'f',
    label: label('表', 'Form'),
    for: 'visit',
    fields: [
      { name: 'power', label: label('光功率', 'Power'), kind: 'number', range },
      { name: 'strap', label: label('腕带', 'Strap'), kind: 'yes_no' },
      {
        name: 'medium',
        label: label('接入', 'Medium'),
        kind: 'choice',
        choices: [['fibre', label('光纤', 'Fibre')]],
      },
    ],
  },
  parts: [],
};

describe('a finished report', () => {
  const visit = wholeVisit(TOLD);

  it('says its answers in the words of its form, and marks what is out of range', () => {
    expect(answersOf(visit, 'en')).toEqual([
      { label: 'Power', text: '-30 dBm (allowed: -24 … -8 dBm)', amiss: true },
      { label: 'Strap', text: 'Yes', amiss: false },
      { label: 'Medium', text: 'Fibre', amiss: false },
      { label: 'gone', text: 'kept', amiss: false },
    ]);
    expect(answersOf(visit, 'zh')[2]).toMatchObject({ label: '接入', text: '光纤' });
  });

  it('says what was promised by which day, and leaves out what is empty', () => {
    const said = saidOf(visit, 'en');
    expect(said.map(({ text }) => text)).toEqual(['sample purpose', 'duty desk', 'labels, by 5 Mar', 'No']);
    expect(said.at(-1)).toMatchObject({ amiss: true });
    expect(headOf(visit, 'en').map(({ text }) => text)).toContain('Sample Bank · C001');
    expect(headOf(visit, 'en').some(({ text }) => text === '')).toBe(false);
  });

  it('names the points of its round, where the checklist is still known', () => {
    const items = itemsOf({
      name: 'room',
      label: label('机房', 'Room'),
      items: [['rack', label('机柜', 'Rack')]],
      readings: { rack: range },
    });
    expect(items).toEqual([{ name: 'rack', label: label('机柜', 'Rack'), range }]);
    expect(pointsOf(visit, items, 'zh')).toEqual([
      { label: '机柜', text: '不正常 · -30 · dirty', amiss: true },
    ]);
    expect(pointsOf(visit, [], 'en')[0]!.label).toBe('rack');
  });

  it('of which the form is not known stands by its fields’ names', () => {
    const bare = wholeVisit({ ...TOLD, form: null });
    expect(answersOf(bare, 'en')[0]).toEqual({ label: 'power', text: '-30', amiss: false });
  });
});
