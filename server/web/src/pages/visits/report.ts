// A report of a visit as it is read: rows of words of what was answered and found. Pure.

import type { Locale } from '../../lib/format';
import { word } from '../../lib/i18n';
import type { MatterPack, Range } from '../../lib/matter';
import { rangeText } from '../../lib/reading';
import type { Pack } from '../../lib/types';
import { reportWords } from './report-words';
import type { FormField, ReportPart, VisitDetail, VisitReport } from './types';

export interface ReportRow {
  name: string;
  label: string;
  text: string;
  /** In which range a number is well. */
  range: string;
  /** What is to be looked at in it, in a word; empty where nothing is. */
  amiss: string;
}

/** What was answered to the form, in its order; what the form does not know stands by its name. */
export function answerRows({ form, visit }: VisitDetail, locale: Locale): ReportRow[] {
  const t = reportWords[locale];
  return visit.answers.map(({ field: name, value, amiss }) => {
    const field = form?.fields?.find((known) => known.name === name);
    const isNumber = typeof value === 'number';
    return {
      name,
      label: field?.label[locale] ?? word({}, name),
      text: answerText(field, value, locale),
      range: isNumber ? limits(field?.range) : '',
      amiss: amiss ? (isNumber ? t.outOfRange : t.look) : '',
    };
  });
}

function answerText(field: FormField | undefined, value: string | number | boolean, locale: Locale): string {
  const t = reportWords[locale];
  if (typeof value === 'boolean') return value ? t.yes : t.no;
  if (typeof value === 'number')
    return [value, field?.range?.unit].filter((it) => it !== undefined).join(' ');
  return field?.choices?.find(([name]) => name === value)?.[1][locale] ?? value;
}

/** The limits of a range in words; empty where it has none. */
function limits(range: Range | null | undefined): string {
  if (!range || (range.at_least === null && range.at_most === null)) return '';
  return rangeText(range);
}

/** The points of a checklist as they were found. What packs in force do not know any more stands by its name. */
export function pointRows({ visit }: VisitDetail, packs: readonly Pack[], locale: Locale): ReportRow[] {
  const t = reportWords[locale];
  const lists = (packs as readonly MatterPack[]).flatMap((pack) => pack.checklists ?? []);
  return visit.points.map(({ name, ok, reading, note }) => {
    const known = lists.find((list) => list.items.some(([item]) => item === name));
    const range = known?.readings?.[name];
    const measured =
      reading === undefined || reading === null ? '' : `${reading} ${range?.unit ?? ''}`.trim();
    return {
      name,
      label: known?.items.find(([item]) => item === name)?.[1][locale] ?? word({}, name),
      text: [ok ? t.well : t.notWell, measured, note].filter(Boolean).join(' · '),
      range: measured ? limits(range) : '',
      amiss: isOutside(reading, range) ? t.outOfRange : ok ? '' : t.look,
    };
  });
}

function isOutside(reading: number | null | undefined, range: Range | undefined): boolean {
  if (reading === undefined || reading === null || !range) return false;
  const { at_least, at_most } = range;
  return (at_least !== null && reading < at_least) || (at_most !== null && reading > at_most);
}

export function photosOf({ parts }: VisitDetail): ReportPart[] {
  return parts.filter(({ role }) => role === 'photo');
}

export function signatureOf({ parts }: VisitDetail): ReportPart | null {
  return parts.find(({ role }) => role === 'signature') ?? null;
}

/** How many photos and signatures have not arrived. */
export function missingOf({ parts }: Pick<VisitReport, 'parts'>): number {
  return Math.max(0, parts.total - parts.whole);
}

/** A place on the earth: `31.23042° N, 121.47370° E`. */
export function placeText({ latitude, longitude }: { latitude: number; longitude: number }): string {
  const part = (value: number, positive: string, negative: string) =>
    `${Math.abs(value).toFixed(5)}° ${value < 0 ? negative : positive}`;
  return `${part(latitude, 'N', 'S')}, ${part(longitude, 'E', 'W')}`;
}

const KIB = 1024;

/** How many bytes, short: `812 B`, `96 kB`, `2.4 MB`. */
export function size(bytes: number): string {
  if (bytes < KIB) return `${bytes} B`;
  if (bytes < KIB * KIB) return `${Math.round(bytes / KIB)} kB`;
  return `${(bytes / KIB / KIB).toFixed(1)} MB`;
}
