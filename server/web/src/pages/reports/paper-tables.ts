// The papers as tables, in the reader's words. Pure.

import { duration, moment, type Locale } from '../../lib/format';
import { MESSAGES, word } from '../../lib/i18n';
import { count, share } from '../../lib/numbers';
import { hrefOf } from '../../lib/route';
import { deskWords } from '../../lib/words';
import { paperWords } from './paper-words';
import type { Listed, Papers } from './papers';
import { periodName } from './period';
import { figureName } from './words';

export interface Cell {
  text: string;
  href?: string;
  number?: boolean;
  tone?: 'missed' | 'met';
}

type Heads = (typeof paperWords)['en']['head'];
export type SectionName = keyof (typeof paperWords)['en']['section'];

export interface Section {
  name: SectionName;
  head: (keyof Heads)[];
  rows: Cell[][];
  more: number;
  note?: string;
}

const PER_MILLE = 1_000;
const PPM = 1_000_000;
const CENTI = 100;

export function nameOf(figure: string, locale: Locale): string {
  const { ratio } = paperWords[locale];
  return Object.hasOwn(ratio, figure) ? ratio[figure]! : figureName(figure, locale);
}

/** A figure's value: its name says what it is counted in. */
export function valueOf(figure: string, value: number | null, locale: Locale): string {
  if (value === null) return '–';
  if (figure.endsWith('_ms')) return duration(value, locale);
  if (figure.endsWith('_rate')) return share(value / PER_MILLE, locale);
  if (figure.endsWith('_ppm')) return share(value / PPM, locale, 3);
  if (figure === 'sample_points_mean') return points(value, locale);
  return count(value, locale);
}

const points = (centi: number, locale: Locale) =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(centi / CENTI);

const text = (said: string | null, href?: string): Cell => ({ text: said || '–', href });

/** Every section; what is empty stands there too, so that nobody wonders. */
export function sections(of: Papers, todayMs: number, locale: Locale): Section[] {
  const t = paperWords[locale];
  const n = (value: number | null): Cell => ({
    text: value === null ? '–' : count(value, locale),
    number: true,
  });
  const missed = (value: number): Cell => ({ ...n(value), tone: value > 0 ? 'missed' : undefined });
  const span = (ms: number | null): Cell => ({
    text: ms === null ? '–' : duration(ms, locale),
    number: true,
  });
  const at = (time: string | null) => text(time && moment(Date.parse(time), todayMs, locale));
  const figure = (name: string, value: number | null): Cell => ({
    text: valueOf(name, value, locale),
    number: true,
  });
  const customer = (code: string, name = ''): Cell =>
    text([name, code].filter(Boolean).join(' '), code && hrefOf('customers', code));
  const line = (code: string): Cell => text(code, code && hrefOf('lines', code));
  const about = (kind: string, id: string | null): Cell =>
    text(
      word(deskWords[locale].matterKind, kind),
      id ? hrefOf(kind === 'fault' ? 'fault' : 'matters', id) : undefined,
    );
  const labels = (list: { zh: string; en: string }[]) =>
    text(list.map((label) => label[locale]).join(locale === 'zh' ? '、' : ', '));
  function listed<T>(
    name: SectionName,
    list: Listed<T>,
    head: (keyof Heads)[],
    row: (item: T) => Cell[],
  ): Section {
    return { name, head, rows: list.items.map(row), more: list.more };
  }
  const ofCustomer = (name: SectionName, list: Papers['customers_by_missed']) =>
    listed(name, list, ['customer', 'faults', 'missed', 'interruption'], (it) => [
      customer(it.code, it.name),
      n(it.faults),
      missed(it.missed),
      span(it.interruption_ms),
    ]);
  const ofLine = (name: SectionName, list: Papers['lines_by_missed']) =>
    listed(name, list, ['line', 'customer', 'faults', 'missed', 'interruption'], (it) => [
      line(it.code),
      customer(it.customer, it.name),
      n(it.faults),
      missed(it.missed),
      span(it.interruption_ms),
    ]);
  const rate = of.complaints.per_100_customers_centi;
  return [
    {
      name: 'figures',
      head: ['figure', 'month', 'before', 'year'],
      rows: of.figures.map((it) => [
        text(nameOf(it.name, locale)),
        figure(it.name, it.value),
        figure(it.name, it.month_before),
        figure(it.name, it.year_before),
      ]),
      more: 0,
    },
    listed('decisions', of.decisions, ['decision', 'about', 'customer', 'due', 'count'], (it) => [
      text(word(t.decision, it.kind)),
      it.subject ? about(it.of, it.subject) : text(periodName('month', it.of, locale)),
      customer(it.customer),
      at(it.due_at),
      n(it.count),
    ]),
    listed(
      'missed',
      of.missed,
      ['promise', 'about', 'customer', 'line', 'due', 'keptAt', 'times', 'cause', 'done'],
      (it) => [
        text(word(MESSAGES[locale].kind, it.kind)),
        about(it.of, it.subject),
        customer(it.customer),
        line(it.line),
        at(it.due_at),
        at(it.met_at),
        n(it.count),
        labels(it.causes),
        text(it.done),
      ],
    ),
    ofCustomer('customersMissed', of.customers_by_missed),
    ofCustomer('customersTime', of.customers_by_interruption),
    ofLine('linesMissed', of.lines_by_missed),
    ofLine('linesTime', of.lines_by_interruption),
    listed(
      'watched',
      of.lines_to_watch,
      ['line', 'customer', 'faults', 'limit', 'interruption', 'atMost'],
      (it) => [
        line(it.line),
        customer(it.customer),
        n(it.faults),
        n(it.faults_limit),
        span(it.interruption_ms),
        span(it.interruption_limit_ms),
      ],
    ),
    listed('exemptions', of.exemptions, ['about', 'customer', 'line', 'cause', 'grantor', 'at'], (it) => [
      about(it.of, it.subject),
      customer(it.customer),
      line(it.line),
      labels([it.cause]),
      text(it.grantor),
      at(it.at),
    ]),
    {
      name: 'complaints',
      head: ['class', 'opened', 'before', 'answersMissed', 'resolved', 'notResolved'],
      rows: of.complaints.classes.map((it) => [
        labels([it.label]),
        n(it.opened),
        n(it.month_before),
        missed(it.answers_missed),
        n(it.resolved),
        missed(it.resolutions_missed),
      ]),
      more: 0,
      note: rate === null ? undefined : t.per100(points(rate, locale)),
    },
    listed('grave', of.grave, ['title', 'class', 'customer', 'owner', 'at', 'nextDue', 'missed'], (it) => [
      text(it.title, hrefOf('matters', it.matter)),
      labels([it.label]),
      customer(it.customer),
      text(it.owner),
      at(it.opened_at),
      at(it.due_at),
      missed(it.missed),
    ]),
    listed('samples', of.samples, ['about', 'customer', 'owner', 'points', 'checker', 'remarks'], (it) => [
      about(it.of, it.subject),
      customer(it.customer),
      text(it.owner),
      it.points === null
        ? text(t.unchecked)
        : {
            text: `${count(it.points, locale)} · ${it.good ? t.good : t.wanting}`,
            tone: it.good ? 'met' : 'missed',
          },
      text(it.checked_by),
      text(it.remarks),
    ]),
    listed('contractors', of.contractors, ['contractor', 'faults', 'missed', 'reached', 'lost'], (it) => [
      text(`${it.name} ${it.contractor}`.trim()),
      n(it.faults),
      missed(it.missed),
      { text: it.reached_ppm === null ? '–' : share(it.reached_ppm / PPM, locale), number: true },
      labels(it.lost),
    ]),
    listed('risks', of.risks, ['customer', 'manager', 'reasons', 'visitBy'], (it) => [
      customer(it.customer, it.name),
      text(it.manager),
      text(
        it.reasons
          .map(([kind, many]) => `${word(t.reason, kind)}${many > 1 ? ` ×${count(many, locale)}` : ''}`)
          .join(locale === 'zh' ? '、' : ', '),
      ),
      at(it.visit_proposed_by),
    ]),
    listed('late', of.late, ['ofMonth', 'figure', 'valueBefore', 'valueAfter', 'learnt'], (it) => [
      text(periodName('month', it.month, locale), hrefOf('reports', 'month', it.month)),
      text(nameOf(it.figure, locale)),
      figure(it.figure, it.before),
      figure(it.figure, it.after),
      at(it.learnt_at),
    ]),
  ];
}

/** What of the figures is another one than in the copy. */
export function changes(of: Papers, locale: Locale): Section {
  return {
    name: 'since',
    head: ['figure', 'then', 'now'],
    rows: of.changed_since.map((it) => [
      text(nameOf(it.name, locale)),
      { text: valueOf(it.name, it.then, locale), number: true },
      { text: valueOf(it.name, it.now, locale), number: true },
    ]),
    more: 0,
    note: paperWords[locale].sinceHint,
  };
}
