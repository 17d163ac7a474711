// Months, quarters and years: which one a moment lies in, its neighbours, and what it is called.

import type { Locale } from '../../lib/format';
import type { Kind } from './types';

export const KINDS: readonly Kind[] = ['month', 'quarter', 'year'];
const MONTHS: Record<Kind, number> = { month: 1, quarter: 3, year: 12 };
const OFFERED: Record<Kind, number> = { month: 25, quarter: 13, year: 6 };

const two = (n: number) => String(n).padStart(2, '0');

/** Months since the year 0 of the period's first month; null where the text is no period of that kind. */
function monthOf(kind: Kind, period: string): number | null {
  const match = { month: /^(\d{4})-(\d\d)$/, quarter: /^(\d{4})-Q([1-4])$/, year: /^(\d{4})$/ }[kind].exec(
    period,
  );
  if (!match) return null;
  const part = Number(match[2] ?? 1);
  if (kind === 'month' && (part < 1 || part > 12)) return null;
  return Number(match[1]) * 12 + (part - 1) * MONTHS[kind];
}

function named(kind: Kind, months: number): string {
  const year = String(Math.floor(months / 12)).padStart(4, '0');
  const month = months % 12;
  if (kind === 'year') return year;
  return kind === 'month' ? `${year}-${two(month + 1)}` : `${year}-Q${Math.floor(month / 3) + 1}`;
}

export function isPeriod(kind: Kind, period: string): boolean {
  return monthOf(kind, period) !== null;
}

/** The period that a moment lies in, in a time zone; in the reader's where none is known. */
export function periodAt(kind: Kind, ms: number, timeZone?: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
  }).formatToParts(ms);
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value);
  const months = part('year') * 12 + part('month') - 1;
  return named(kind, months - (months % MONTHS[kind]));
}

/** The one so many periods later, or earlier. */
export function shifted(kind: Kind, period: string, by: number): string {
  const months = monthOf(kind, period);
  return months === null ? period : named(kind, months + by * MONTHS[kind]);
}

/** What is offered to choose from: the present one and those before it, and the one that is open. */
export function offered(kind: Kind, present: string, open: string): string[] {
  const list = Array.from({ length: OFFERED[kind] }, (_, i) => shifted(kind, present, -i));
  return list.includes(open) ? list : [open, ...list].sort().reverse();
}

/** `2026-10` as `October 2026`, `2026年10月`. */
export function periodName(kind: Kind, period: string, locale: Locale): string {
  const months = monthOf(kind, period);
  if (months === null) return period;
  const year = Math.floor(months / 12);
  const month = months % 12;
  if (kind === 'year') return locale === 'zh' ? `${year}年` : String(year);
  if (kind === 'quarter') {
    const quarter = Math.floor(month / 3) + 1;
    return locale === 'zh' ? `${year}年第${'一二三四'[quarter - 1]}季度` : `Q${quarter} ${year}`;
  }
  const date = Date.UTC(year, month, 1);
  return new Intl.DateTimeFormat(locale === 'zh' ? 'zh-CN' : 'en-GB', {
    year: 'numeric',
    month: 'long',
    timeZone: 'UTC',
  }).format(date);
}
