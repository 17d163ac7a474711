// A finished report's fields in words, in the order in which they are read. Pure.

import { dayName, fullMoment, type Locale } from '../../../src/lib/format';
import { word } from '../../../src/lib/i18n';
import { rangeText } from '../../../src/lib/reading';
import { deskWords } from '../../../src/lib/words';
import { isAmiss } from './form';
import type { Answer, ChecklistItem, FieldOf, Visit } from './types';
import { reportWords, visitWords } from '../words/report';

export interface Said {
  label: string;
  text: string;
  /** It deserves a look. */
  amiss?: boolean;
}

const TEXTS = ['purpose', 'met', 'findings', 'needs', 'promises'] as const;

/** What the report says in words, without what was left empty. */
export function saidOf({ visit }: Visit, locale: Locale): Said[] {
  const w = reportWords[locale];
  const texts = TEXTS.map((name) => ({ label: w.field[name], text: visit[name] ?? '' }));
  const promised = (visit.promised ?? []).map(({ title, until }) => ({
    label: w.field.promised,
    text: `${title}, ${visitWords[locale].until(dayName(new Date(until).getTime(), locale))}`,
  }));
  const flags = (['satisfied', 'left_clean'] as const).flatMap((name) => {
    const flag = visit[name];
    if (flag === null || flag === undefined) return [];
    return [{ label: w.field[name], text: flag ? w.yes : w.no, amiss: !flag }];
  });
  return [...texts, ...promised, ...flags].filter(({ text }) => text.trim());
}

/** Where, when and by whom: the head of the paper. */
export function headOf({ visit, at, by, device, customer_name, id }: Visit, locale: Locale): Said[] {
  const w = reportWords[locale];
  const v = visitWords[locale];
  const head: [string, string | null | undefined][] = [
    [w.field.customer, [customer_name, visit.customer].filter(Boolean).join(' · ')],
    [w.field.site, visit.site],
    [w.field.line, visit.line],
    [w.field.at, fullMoment(Date.parse(at), locale)],
    [w.field.mode, visit.mode && word(deskWords[locale].mode, visit.mode)],
    [w.field.class, visit.class?.toUpperCase()],
    [v.by, by],
    [v.device, device],
    [v.number, id],
  ];
  return head.flatMap(([label, text]) => (text ? [{ label, text }] : []));
}

/** The answers to the form, in its order; what it does not know stands by its name. */
export function answersOf({ visit, form }: Visit, locale: Locale): Said[] {
  return visit.answers.map(({ field, value }) => {
    const asked = form?.fields.find(({ name }) => name === field);
    return {
      label: asked?.label[locale] ?? field,
      text: answerText(asked, value, locale),
      amiss: asked !== undefined && isAmiss(asked, value),
    };
  });
}

function answerText(field: FieldOf | undefined, value: Answer, locale: Locale): string {
  const w = reportWords[locale];
  if (typeof value === 'boolean') return value ? w.yes : w.no;
  if (typeof value === 'string') {
    return field?.choices.find(([name]) => name === value)?.[1][locale] ?? value;
  }
  const range = field?.range;
  if (!range) return String(value);
  const hasLimit = range.at_least !== null || range.at_most !== null;
  return `${value} ${range.unit}${hasLimit ? ` (${w.allowed(rangeText(range))})` : ''}`;
}

/** The points of the round; `items` are those of its checklist, where that is still known. */
export function pointsOf({ visit }: Visit, items: readonly ChecklistItem[], locale: Locale): Said[] {
  const w = reportWords[locale];
  return (visit.points ?? []).map(({ name, ok, reading, note }) => ({
    label: items.find((item) => item.name === name)?.label[locale] ?? word({}, name),
    text: [ok ? w.pointOk : w.pointBad, reading, note]
      .filter((it) => it !== undefined && it !== '')
      .join(' · '),
    amiss: !ok,
  }));
}
