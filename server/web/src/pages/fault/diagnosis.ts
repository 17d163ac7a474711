// What a device found out about a line, in plain words: to the same effect as the device says it itself. Pure.

import type { Locale } from '../../lib/format';
import { word } from '../../lib/i18n';
import { diagnosisWords } from './diagnosis-words';

export type Grade = 'ok' | 'warn' | 'fail' | 'unknown';

/** One thing that was looked at. */
export interface Finding {
  /** `link`, `gateway`, `far_end`, `outside`, `dns`, `path`, `mtu`, `throughput`. */
  check: string;
  grade: Grade;
  /** Which finding of this check. */
  code: string;
  /** What was measured: names with their units, and values. */
  figures?: [name: string, value: string][];
}

export interface Diagnosis {
  id: string;
  line: string;
  fault: string | null;
  at: string;
  by: string;
  /** In the order in which they were looked at. */
  findings: Finding[];
}

/** What a finding says, by check and code; `of` gives its figures. */
type Table = Record<string, Record<string, (of: (name: string) => string) => string>>;

/** Checks of which something answers or is silent. */
const ANSWERING = ['answers', 'losses', 'silent', 'not_sent'] as const;
const SEEN = ['path', 'mtu'];

export function findingText(finding: Finding, locale: Locale): string {
  const t = diagnosisWords[locale];
  const { check, code } = finding;
  const of = (name: string) => finding.figures?.find(([known]) => known === name)?.[1] ?? '?';
  const own = Object.hasOwn(t.finding, check) ? (t.finding as Table)[check]! : {};
  if (Object.hasOwn(own, code)) return own[code]!(of);
  if (code === 'silent' && SEEN.includes(check)) return t.nothing(word(t.check, check));
  const known = ANSWERING.find((name) => name === code);
  if (known) return t[known](word(t.target, check), of('answered'), milliseconds(of('rtt_us')));
  return Object.hasOwn(own, 'else') ? own.else!(of) : t.unseen;
}

/** Microseconds as milliseconds; what is no number stays as it is. */
export function milliseconds(us: string): string {
  const number = us.trim() === '' ? NaN : Number(us);
  return Number.isFinite(number) ? (number / 1000).toFixed(1) : us;
}

/** The worst that was found. */
export function worst(findings: readonly Finding[]): Grade {
  const order: Grade[] = ['fail', 'warn', 'ok'];
  return order.find((grade) => findings.some((finding) => finding.grade === grade)) ?? 'unknown';
}
