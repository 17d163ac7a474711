// What a fact says beyond its kind, in the reader's words.

import { duration, milliseconds, moment, type Locale } from './format';
import { MESSAGES, word } from './i18n';
import type { Cause, Evidence, Fact } from './types';

/** Fields that are shown elsewhere, or mean nothing to a reader. */
const OWN = new Set([
  'id',
  'kind',
  'occurred_at',
  'recorded_at',
  'by',
  'late',
  'corrected_ms',
  'uncertain',
  'clock_wrong',
  'device_at',
  'misfit',
  'fault',
  'line',
]);

/** Fields whose values speak for themselves. */
const CHOICES = new Set(['reached', 'result', 'case', 'service']);

export interface Said {
  /** Empty where the text needs none. */
  label: string;
  text: string;
}

/** `causes` are those that the fault's pack names. */
export function says(fact: Fact, locale: Locale, causes: readonly Cause[] = []): Said[] {
  return Object.entries(fact)
    .sort(([a], [b]) => place(a) - place(b))
    .filter(([name, value]) => !OWN.has(name) && !isEmpty(value) && !isEvidence(name, value))
    .filter(([name, value]) => !(name === 'agent' && fact.by?.includes(String(value))))
    .map(([name, value]) => ({
      label: CHOICES.has(name) ? '' : word(MESSAGES[locale].field, name),
      text: text(name, value, fact, locale, causes),
    }));
}

/** The order in which fields are read; the others follow. */
const ORDER = [
  'agent',
  'channel',
  'reporter',
  'description',
  'reached',
  'result',
  'service',
  'case',
  'cause',
];
const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);

const isEmpty = (value: unknown) => value === null || value === undefined || value === '';

/** Probes' evidence is an object; what shows a pause, of the same name, is a text. */
const isEvidence = (name: string, value: unknown) => name === 'evidence' && typeof value === 'object';

export function evidenceOf(fact: Fact): Evidence | null {
  const evidence = fact.evidence;
  return typeof evidence === 'object' && evidence !== null ? (evidence as Evidence) : null;
}

/** Probes' evidence in short figures: each an own phrase. */
export function figures(evidence: Evidence, locale: Locale): string[] {
  const t = MESSAGES[locale].evidence;
  const { cause, degraded, sent, lost, longest_run, longest_run_ms, last_rtt_us, confirmations } = evidence;
  const said: string[] = [];
  if (cause) said.push(word(t.cause, cause));
  if (degraded) said.push(t.degraded);
  if (sent) said.push(t.lost(lost ?? 0, sent));
  if (longest_run) said.push(t.run(longest_run, duration(longest_run_ms ?? 0, locale)));
  if (last_rtt_us) said.push(t.rtt(milliseconds(last_rtt_us)));
  for (const { by, heard } of confirmations ?? []) {
    if (heard === 'answer' || heard === 'silent') said.push(t[heard](word(t.witness, by)));
  }
  return said;
}

function text(name: string, value: unknown, fact: Fact, locale: Locale, causes: readonly Cause[]): string {
  const t = MESSAGES[locale];
  if (name === 'reached') return value === true ? t.choice.yes : t.choice.no;
  if (typeof value === 'object') return JSON.stringify(value);
  const plain = String(value);
  if (name === 'channel') return word(t.channel, plain);
  if (name === 'result' || name === 'case' || name === 'service') return word(t.choice, plain);
  if (name === 'cause') return causeName(causes, plain, locale);
  if (name === 'until') return moment(Date.parse(plain), Date.parse(fact.occurred_at), locale);
  return plain;
}

export function causeName(causes: readonly Cause[], name: string, locale: Locale): string {
  return causes.find((cause) => cause.name === name)?.label[locale] ?? word({}, name);
}
