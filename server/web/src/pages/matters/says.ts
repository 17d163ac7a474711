// What a fact of a matter says beyond its kind, in the reader's words. Pure.

import { moment, type Locale } from '../../lib/format';
import { word } from '../../lib/i18n';
import type { MatterFact } from '../../lib/matter';
import { deskWords } from '../../lib/words';
import { permitWords } from './permit-words';
import { stepWords } from './step-words';

export interface Said {
  label: string;
  text: string;
  /** The matter that is meant. */
  matter?: string;
}

/** Names that stand for things in the pack: how they are called. */
export interface Names {
  class: (name: string) => string;
  cause: (name: string) => string;
  level: (level: number) => string;
  point: (name: string) => string;
}

/** Fields of the opening that stand in the matter's head already. */
const IN_HEAD = new Set([
  'kind',
  'class',
  'customer',
  'line',
  'site',
  'title',
  'owner',
  'first_receiver',
  'about',
  // Its title names the piece.
  'equipment',
]);
/** Their text says itself what it is. */
const UNNAMED = new Set(['reached', 'callback', 'ok', 'points', 'briefing']);
const TIMES = new Set(['from', 'until', 'at', 'wanted_by']);

export function says(fact: MatterFact, names: Names, todayMs: number, locale: Locale): Said[] {
  const fields = fieldsOf(fact);
  const t = stepWords[locale];
  return Object.entries(fields)
    .filter(([name, value]) => !isEmpty(value) && !(fact.kind === 'opened' && IN_HEAD.has(name)))
    .map(([name, value]) => {
      if (name === 'complaint') return { label: '', text: t.theRepeat, matter: String(value) };
      const text = said(fact.kind, name, value, names, todayMs, locale);
      return { label: labelOf(name, locale), text };
    })
    .filter(({ text }) => text !== '');
}

/** The fact's own fields, whichever form it has. */
function fieldsOf({ detail }: MatterFact): Record<string, unknown> {
  const { opened, step } = (detail ?? {}) as { opened?: Record<string, unknown>; step?: unknown };
  if (opened) return opened;
  if (typeof step !== 'object' || step === null) return {};
  const [inner] = Object.values(step as Record<string, unknown>);
  if (typeof inner === 'string') return { callback: inner };
  return (inner ?? {}) as Record<string, unknown>;
}

const isEmpty = (value: unknown) =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && !value.length);

function labelOf(name: string, locale: Locale): string {
  if (UNNAMED.has(name)) return '';
  return word(stepWords[locale].said, name);
}

const words = (kind: string, locale: Locale) =>
  kind === 'reviewed' ? stepWords[locale].accepted : stepWords[locale].ok;

function said(
  kind: string,
  name: string,
  value: unknown,
  names: Names,
  todayMs: number,
  locale: Locale,
): string {
  const t = stepWords[locale];
  if (TIMES.has(name)) return moment(Number(value), todayMs, locale);
  if (name === 'reached') return value === true ? t.choice.yes : t.choice.no;
  if (name === 'ok') return words(kind, locale)[value === true ? 'yes' : 'no'];
  if (name === 'side') return word(t.side, String(value));
  if (name === 'callback') return word(t.callback, String(value));
  if (name === 'class') return names.class(String(value));
  if (name === 'cause') return names.cause(String(value));
  if (name === 'level') return names.level(Number(value));
  if (name === 'mode') return word(deskWords[locale].mode, String(value));
  if (name === 'points') return pointsSaid(value, names, locale);
  if (name === 'briefing') return value === true ? permitWords[locale].briefing : '';
  if (name === 'certificates') return certificatesSaid(value, todayMs, locale);
  return typeof value === 'object' ? '' : String(value);
}

function certificatesSaid(value: unknown, todayMs: number, locale: Locale): string {
  const t = permitWords[locale];
  const held = value as { name: string; number?: string; valid_until: number }[];
  return held
    .map(({ name, number, valid_until }) =>
      [word(t.known, name), number, `${t.validUntil} ${moment(valid_until, todayMs, locale)}`]
        .filter(Boolean)
        .join(' '),
    )
    .join('; ');
}

function pointsSaid(value: unknown, names: Names, locale: Locale): string {
  const points = value as { name: string; ok: boolean; note?: string }[];
  const t = stepWords[locale];
  const failed = points.filter((point) => !point.ok);
  if (!failed.length) return t.pointsWell(points.length);
  const list = failed.map(({ name, note }) => (note ? `${names.point(name)} (${note})` : names.point(name)));
  return t.pointsFailed(failed.length, points.length, list.join('; '));
}
