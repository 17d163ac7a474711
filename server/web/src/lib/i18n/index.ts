import type { Locale } from '../format';
import { en, type Messages } from './en';
import { zh } from './zh';

export type { Messages };
export const MESSAGES: Record<Locale, Messages> = { en, zh };
export const LOCALES: readonly Locale[] = ['zh', 'en'];

/** The reader's language: the one chosen before, else the browser's first that we speak, else English. */
export function pickLocale(remembered: string | null, browser: readonly string[]): Locale {
  if (remembered === 'en' || remembered === 'zh') return remembered;
  for (const tag of browser) {
    const language = tag.toLowerCase().split('-')[0];
    if (language === 'en' || language === 'zh') return language;
  }
  return 'en';
}

/** The word for a value that the server may add to: an unknown one is shown as it is, readable. */
export function word(table: Record<string, string>, value: string): string {
  return Object.hasOwn(table, value) ? table[value]! : value.replaceAll('_', ' ');
}
