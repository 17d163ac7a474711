// Two versions of a report side by side: the fields that differ, in words. Pure.

import { fullMoment, type Locale } from '../../../src/lib/format';
import { differing } from '../lib/draft-shape';
import type { Draft } from '../lib/types';
import { reportWords } from '../words/report';

export interface Difference {
  field: keyof Draft;
  mine: string;
  theirs: string;
}

export function differences(mine: Draft, theirs: Partial<Draft>, locale: Locale): Difference[] {
  return differing(mine, theirs).map((field) => ({
    field,
    mine: inWords(field, mine[field], locale),
    theirs: inWords(field, theirs[field], locale),
  }));
}

function inWords(field: keyof Draft, value: Draft[keyof Draft] | undefined, locale: Locale): string {
  const w = reportWords[locale];
  if (value === null || value === undefined || value === '') return w.conflict.empty;
  if (typeof value === 'boolean') return value ? w.yes : w.no;
  if (field === 'at') return fullMoment(Date.parse(String(value)), locale);
  if (field === 'signature') return w.field.signature;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return listed(value, locale) || w.conflict.empty;
  const entries = Object.entries(value).map(([name, it]) => `${name}: ${plain(it, locale)}`);
  return entries.join('; ') || w.conflict.empty;
}

function listed(items: Draft['points'] | Draft['promised'] | Draft['photos'], locale: Locale): string {
  return items
    .map((item, i) => {
      if ('title' in item) return item.title;
      if ('sha256' in item) return item.caption || reportWords[locale].photo(String(i + 1));
      return `${item.name}: ${[plain(item.ok, locale), item.reading, item.note].filter(Boolean).join(' ')}`;
    })
    .join('; ');
}

function plain(value: unknown, locale: Locale): string {
  const w = reportWords[locale];
  if (typeof value === 'boolean') return value ? w.yes : w.no;
  return String(value);
}
