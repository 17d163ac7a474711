// The rows of the board: its faults, what slips first on top. Pure: the present is always given.
//
// There may be thousands, and time passes each second: what still holds is kept as it is, so that whoever draws or counts
// rows can tell what changed by looking whether it is the same object.

import type { BoardModel, Entry } from './board';
import {
  NOTHING_OWED,
  owed,
  owedKinds,
  placeMs,
  standing,
  startedMs,
  type Owed,
  type Urgency,
} from './deadline';
import type { DeadlineKind, Fault } from './types';

/** A fault and how it stands: the same object for as long as neither changes. */
export interface Row {
  fault: Fault;
  entry: Entry;
  /** What is owed, most urgent first. */
  owed: readonly DeadlineKind[];
  /** Whether any of its promises stands still; another may be running beside it. */
  isPaused: boolean;
  /** How the most urgent promise stands, from when to before when. */
  urgency: Urgency;
  sinceMs: number;
  untilMs: number;
  /** What rows are sorted by: what runs, then what is paused, then what owes nothing; and within these. */
  rank: number;
  placeMs: number;
}

/**
 * The rows in the order of what slips first: everything that runs, by its earliest due time (so what is missed stands on
 * top, the longest overdue first), then what is paused, then what owes nothing. Due times decide, not the present: only
 * faults that changed are sorted anew, and where nothing changed at all, the very list of `before` is answered.
 */
export function rows(model: BoardModel, nowMs: number, before: readonly Row[] = []): readonly Row[] {
  const kept = before.filter(({ entry }) => model.faults.get(entry.fault.id) === entry);
  const isSame = kept.length === before.length && kept.length === model.faults.size;
  const sorted = isSame ? before : merged(kept, others(model, kept, nowMs));
  const holds = (row: Row) => row.sinceMs <= nowMs && nowMs < row.untilMs;
  if (sorted.every(holds)) return sorted;
  return sorted.map((row) => (holds(row) ? row : toRow(row.entry, nowMs)));
}

/** The rows of all faults that these do not have, sorted. */
function others(model: BoardModel, kept: readonly Row[], nowMs: number): Row[] {
  const known = new Set(kept.map(({ entry }) => entry));
  const fresh = [...model.faults.values()].filter((entry) => !known.has(entry));
  return fresh.map((entry) => toRow(entry, nowMs)).sort(compare);
}

/** Two sorted lists as one. */
function merged(a: readonly Row[], b: readonly Row[]): Row[] {
  const list: Row[] = [];
  let next = 0;
  for (const row of a) {
    while (next < b.length && compare(b[next]!, row) < 0) list.push(b[next++]!);
    list.push(row);
  }
  return list.concat(b.slice(next));
}

function compare(a: Row, b: Row): number {
  return a.rank - b.rank || a.placeMs - b.placeMs || (a.fault.id < b.fault.id ? -1 : 1);
}

function toRow(entry: Entry, nowMs: number): Row {
  const { fault, marks } = entry;
  const kinds = owedKinds(fault);
  const lead = kinds[0];
  const { urgency, sinceMs, untilMs } = lead ? standing(fault, lead, nowMs, marks[lead]) : NOTHING_OWED;
  const rank = !lead ? 2 : urgency === 'paused' ? 1 : 0;
  const place = lead ? placeMs(fault, lead) : startedMs(fault);
  const isPaused = kinds.some((kind) => fault[kind]!.state === 'paused');
  return { fault, entry, owed: kinds, isPaused, urgency, sinceMs, untilMs, rank, placeMs: place };
}

/** What is owed with its figures of the moment, most urgent first. */
export function owedOf({ fault, entry, owed: kinds }: Row, nowMs: number): Owed[] {
  return kinds.flatMap((kind) => owed(fault, kind, nowMs, entry.marks[kind]) ?? []);
}

export type Filter = 'all' | 'missed' | 'slipping' | 'calm' | 'paused';

/** How many rows stand how: the figures above the table. */
export function tally(list: readonly Row[]): Record<Filter, number> {
  const sums: Record<Filter, number> = { all: list.length, missed: 0, slipping: 0, calm: 0, paused: 0 };
  for (const row of list) {
    if (row.urgency in sums && row.urgency !== 'paused') sums[row.urgency as Filter] += 1;
    if (row.isPaused) sums.paused += 1;
  }
  return sums;
}

/** The rows that stand so. */
export function standingSo(list: readonly Row[], filter: Filter): readonly Row[] {
  if (filter === 'all') return list;
  return list.filter(({ isPaused, urgency }) => (filter === 'paused' ? isPaused : urgency === filter));
}

/** Whether a fault has every one of the words somewhere; none given where all have. */
export function finder(words: string): ((fault: Fault) => boolean) | null {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return wanted.length ? (fault) => wanted.every((word) => textOf(fault).includes(word)) : null;
}

/** What is searched in a fault: looked at with each letter typed, for every one of them, so made once for each. */
const texts = new WeakMap<Fault, string>();

function textOf(fault: Fault): string {
  let text = texts.get(fault);
  if (text === undefined) {
    const { line, customer, customer_name, region, site, service, owner, tier } = fault;
    text = [line, customer, customer_name, region, site, service, owner, tier].join(' ').toLowerCase();
    texts.set(fault, text);
  }
  return text;
}
