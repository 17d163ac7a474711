// What an agent has not sent, as far as the server knows. Pure.

import type { Locale } from '../../lib/format';
import { duration } from '../../lib/format';
import { count } from '../../lib/numbers';
import { agentWords } from './agent-words';
import type { Agent } from './types';

/** In a line: how much, and for how long it is known; empty where there is nothing. */
export function unsentText(
  { unsent, parts_missing }: Pick<Agent, 'unsent' | 'parts_missing'>,
  nowMs: number,
  locale: Locale,
): string {
  const t = agentWords[locale];
  const records = unsent.reduce((sum, lane) => sum + lane.records, 0);
  const oldestMs = Math.min(...unsent.map(({ since_at }) => Date.parse(since_at)));
  return [
    records ? t.records(count(records, locale)) : '',
    parts_missing ? t.photos(count(parts_missing, locale)) : '',
    records ? t.age(duration(nowMs - oldestMs, locale)) : '',
  ]
    .filter(Boolean)
    .join(' · ');
}
