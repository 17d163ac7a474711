// What of a report is shown together: promises as kept and missed, and the other figures by section. Pure.

import type { Figures, Report, ReportGroup, Section } from './types';

/** A promise in figures: how often it was kept, and how often missed. */
export interface PromiseFigures {
  /** What kept and missed begin with: `restoration`, `feedback`, … */
  name: string;
  section: Section;
  kept: number;
  missed: number;
  /** Kept of kept and missed; null where nothing was decided. */
  share: number | null;
  lastShare: number | null;
}

export interface OtherFigure {
  name: string;
  unit: 'count' | 'ms' | 'points';
  section: Section;
  value: number | null;
  last: number | null;
}

/** Sums that are shown as means, and what the mean is. */
export const MEANS: Record<string, string> = {
  restoration_net_ms: 'restoration_mean_ms',
  answer_ms: 'answer_mean_ms',
};
/** Sums that say nothing by themselves: what is made of them is shown. */
const UNSHOWN = ['restoration_gross_ms', 'answered', 'service_ms', 'available_ms', 'sample_points'];

export function shareOf(kept: number, missed: number): number | null {
  return kept + missed > 0 ? kept / (kept + missed) : null;
}

/** The promises that a report counts: every figure that ends in `_kept` and has one beside it that ends in `_missed`. */
export function promises(report: Report, last: Figures | null): PromiseFigures[] {
  const names = new Set(report.figures.map((figure) => figure.name));
  return report.figures.flatMap(({ name: kept, section }) => {
    const name = kept.replace(/_kept$/, '');
    const missed = `${name}_missed`;
    if (name === kept || !names.has(missed)) return [];
    const of = (figures: Figures) => shareOf(figures[kept] ?? 0, figures[missed] ?? 0);
    return [
      {
        name,
        section,
        kept: report.total[kept] ?? 0,
        missed: report.total[missed] ?? 0,
        share: of(report.total),
        lastShare: last && of(last),
      },
    ];
  });
}

/** What is not in a report is nothing; what is null in it is not known. */
function valueOf(figures: Figures, name: string): number | null {
  const value = figures[name];
  return value === undefined ? 0 : value;
}

/** The other figures, in the report's order. */
export function others(report: Report, last: Figures | null): OtherFigure[] {
  const paired = new Set(promises(report, null).flatMap(({ name }) => [`${name}_kept`, `${name}_missed`]));
  return report.figures
    .filter(({ name }) => !paired.has(name) && !UNSHOWN.includes(name) && !(name in MEANS))
    .map(({ name, unit, section }) => ({
      name,
      unit,
      section,
      value: valueOf(report.total, name),
      last: last && valueOf(last, name),
    }));
}

/** A column of the table of groups. */
export interface GroupColumn {
  /** A promise, shown as a share, or a figure. */
  kind: 'promise' | 'count' | 'ms';
  name: string;
}

const FAULT_COLUMNS: readonly GroupColumn[] = [
  { kind: 'count', name: 'faults' },
  { kind: 'promise', name: 'restoration' },
  { kind: 'promise', name: 'feedback' },
  { kind: 'promise', name: 'repair' },
  { kind: 'promise', name: 'callback' },
  { kind: 'ms', name: 'interruption_ms' },
  { kind: 'count', name: 'missed' },
];
const MATTER_COLUMNS: readonly GroupColumn[] = [
  { kind: 'count', name: 'matters' },
  { kind: 'promise', name: 'matter_answer' },
  { kind: 'promise', name: 'resolution' },
  { kind: 'promise', name: 'visit' },
  { kind: 'count', name: 'matters_missed' },
];

/** The columns in which there is something to show. */
export function columns(groups: readonly ReportGroup[]): GroupColumn[] {
  const some = (name: string) => groups.some(({ figures }) => (figures[name] ?? 0) !== 0);
  const isShown = ({ kind, name }: GroupColumn) =>
    kind === 'promise' ? some(`${name}_kept`) || some(`${name}_missed`) : some(name);
  return [...FAULT_COLUMNS, ...MATTER_COLUMNS].filter(isShown);
}

/** Groups with the most misses first; among equals, those with most going on. */
export function worstFirst(groups: readonly ReportGroup[]): ReportGroup[] {
  const sum = ({ figures }: ReportGroup, ...names: string[]) =>
    names.reduce((all, name) => all + (figures[name] ?? 0), 0);
  const missed = (group: ReportGroup) => sum(group, 'missed', 'matters_missed');
  const opened = (group: ReportGroup) => sum(group, 'faults', 'matters');
  return [...groups].sort(
    (a, b) => missed(b) - missed(a) || opened(b) - opened(a) || (a.key < b.key ? -1 : 1),
  );
}
