// What a fact says beyond its kind, in the reader's words.

import { moment, type Locale } from './format';
import { MESSAGES, word } from './i18n';
import type { Fact } from './types';

/** Fields that are shown elsewhere, or mean nothing to a reader. */
const OWN = new Set([
  'id',
  'kind',
  'occurred_at',
  'recorded_at',
  'by',
  'late',
  'misfit',
  'fault',
  'line',
  'fields',
]);

export function says(fact: Fact, locale: Locale): { label: string; text: string }[] {
  const nested = typeof fact.fields === 'object' && fact.fields !== null ? fact.fields : {};
  return Object.entries({ ...fact, ...nested })
    .filter(([name, value]) => !OWN.has(name) && value !== null && value !== undefined && value !== '')
    .map(([name, value]) => ({
      label: word(MESSAGES[locale].field, name),
      text: text(name, value, fact, locale),
    }));
}

function text(name: string, value: unknown, fact: Fact, locale: Locale): string {
  const t = MESSAGES[locale];
  if (name === 'reached') return value === true ? t.choice.yes : t.choice.no;
  if (typeof value === 'object') return JSON.stringify(value);
  const plain = String(value);
  if (name === 'channel') return word(t.channel, plain);
  if (name === 'state') return word(t.lineState, plain);
  if (name === 'result' || name === 'case') return word(t.choice, plain);
  if (name === 'until') return moment(Date.parse(plain), Date.parse(fact.occurred_at), locale);
  return plain;
}
