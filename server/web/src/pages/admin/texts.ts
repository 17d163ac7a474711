// Texts of alerts: both languages of one side by side, which ones are looked for, and why one was refused.

import { ApiError } from '../../lib/api';
import type { AlertText } from './types';

export type Lang = 'zh' | 'en';
export const LANGS: readonly Lang[] = ['zh', 'en'];

/** One text in both languages; a language may lack one that has no place any more. */
export interface TextPair {
  id: string;
  zh: AlertText | null;
  en: AlertText | null;
}

/** Both languages' texts by their id, in the order in which they came. */
export function paired(texts: readonly AlertText[]): TextPair[] {
  const pairs = new Map<string, TextPair>();
  for (const text of texts) {
    const pair = pairs.get(text.id) ?? { id: text.id, zh: null, en: null };
    if (text.lang === 'zh' || text.lang === 'en') pair[text.lang] = text;
    pairs.set(text.id, pair);
  }
  return [...pairs.values()];
}

/** What is used: the desk's own unless it does not fit. */
export const said = (text: AlertText | null) =>
  (text && !text.problem ? text.own : null) ?? text?.shipped ?? text?.own ?? '';

/** A text at a glance: of variants only the one that is usual. */
export const glance = (text: string) =>
  text.replace(/\{\s*\$\w+\s*->[^]*?\*\[\s*\w+\s*\][^\S\n]*([^\n]*)[^]*?\n\s*\}/g, '$1');

/** Pairs that hold every word, in either language; `own`: only those with a text of the desk's own. */
export function sought(pairs: readonly TextPair[], words: string, own: boolean): TextPair[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return pairs.filter((pair) => {
    const texts = LANGS.map((lang) => pair[lang]).filter((text) => text !== null);
    if (own && texts.every((text) => text.own === null)) return false;
    const whole = [pair.id, ...texts.flatMap((text) => [text.section, text.own, text.shipped])];
    const hay = whole.join(' ').toLowerCase();
    return wanted.every((word) => hay.includes(word));
  });
}

/** Pairs under the headings of one language, in order. */
export function sections(pairs: readonly TextPair[], lang: Lang): { title: string; pairs: TextPair[] }[] {
  const parts: { title: string; pairs: TextPair[] }[] = [];
  for (const pair of pairs) {
    const title = (pair[lang] ?? pair.zh ?? pair.en)?.section ?? '';
    const last = parts.at(-1);
    if (last?.title === title) last.pairs.push(pair);
    else parts.push({ title, pairs: [pair] });
  }
  return parts;
}

/** What a reader is told of each reason; what stands in the words of the server is passed on. */
export type Reasons = Record<string, (detail: string, possible: string) => string>;

/** Why a text was refused, in the reader's language; null where it was for something else. */
export function refusal(error: unknown, reasons: Reasons): string | null {
  if (!(error instanceof ApiError) || error.reason === null) return null;
  const reason = Object.hasOwn(reasons, error.reason) ? reasons[error.reason] : undefined;
  if (!reason) return error.detail;
  const possible = (error.possible ?? []).map((name) => `$${name}`).join(' ');
  return reason(error.detail, possible);
}

/** A text with a variable put in where the cursor stands. */
export function withVariable(
  text: string,
  [from, to]: [number, number],
  name: string,
): { text: string; cursor: number } {
  const placed = `{ $${name} }`;
  return { text: text.slice(0, from) + placed + text.slice(to), cursor: from + placed.length };
}
