// What is said of a promise when it reaches a mark. Pure.

import { moment, type Locale } from './format';
import { MESSAGES, word } from './i18n';
import type { DeadlineEvent } from './types';

/** Promises that are used up rather than kept by a time: how long a line may be without service. */
const ALLOWANCES: readonly string[] = ['interruption', 'availability'];

export const isAllowance = (kind: string): boolean => ALLOWANCES.includes(kind);

/** A mark in words: a warning may stand at any share that a pack names, such as `warn_66.6`. */
export function markText(kind: string, mark: string, locale: Locale): string {
  const t = MESSAGES[locale];
  const percent = /^warn_([\d.]+)$/.exec(mark)?.[1];
  if (isAllowance(kind)) {
    const { warnedAt, missed, corrected } = t.allowance;
    return percent ? warnedAt(percent) : word({ ...t.mark, missed, corrected }, mark);
  }
  return percent && !Object.hasOwn(t.mark, mark) ? t.warnedAt(percent) : word(t.mark, mark);
}

/** Whose promise reached which mark; of an allowance that is being used, when it is used up if that goes on. */
export function announced(event: DeadlineEvent, locale: Locale, todayMs: number): string {
  const { line, customer, kind, mark, due_at } = event;
  const t = MESSAGES[locale];
  const said = [word(t.kind, kind), markText(kind, mark, locale)];
  if (isAllowance(kind) && mark.startsWith('warn_') && due_at)
    said.push(t.allowance.earliest(moment(Date.parse(due_at), todayMs, locale)));
  return `${line ?? customer}: ${said.join(', ')}`;
}
