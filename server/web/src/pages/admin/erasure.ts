// Erasures, as the API tells them.

import type { Locale } from '../../lib/format';
import { word } from '../../lib/i18n';
import { count } from '../../lib/numbers';
import { privacyWords } from './privacy-words';

export interface Erasure {
  /** Null of a dry run. */
  id: string | null;
  customer: string;
  reason: string;
  /** `rule` where the retention was over. */
  by: string;
  begun_at: string;
  finished_at: string | null;
  counts: Record<string, number> | null;
}

/** What was or would be erased, in words; empty where nothing is. */
export function countsSaid(counts: Record<string, number> | null, locale: Locale): string {
  const t = privacyWords[locale];
  return Object.entries(counts ?? {})
    .filter(([, n]) => n > 0)
    .map(([name, n]) => `${word(t.count, name)} ${count(n, locale)}`)
    .join(' · ');
}
