// Sites and their equipment, as the API tells them, and what packs call them.

import type { Locale } from '../../lib/format';
import type { Label, Pack } from '../../lib/types';

export interface Site {
  id: string;
  customer: string;
  name: string;
  time_zone: string | null;
  access_hours: string | null;
  closed_dates: string | null;
}

export interface SiteDetail extends Site {
  open_now: boolean;
  next_open_at: string | null;
  access_contact: string | null;
  access_phone: string | null;
}

export interface Piece {
  id: string;
  site: string;
  site_name: string;
  customer: string;
  label: string;
  kind: string;
  condition: string;
  installed_on: string | null;
  tested_on: string | null;
  last_round_at: string | null;
  next_due_at: string | null;
}

export interface PieceDetail extends Piece {
  conditions: { at: string; condition: string; reason: string; by: string }[];
  rounds: {
    matter: string;
    cadence: string;
    state: string;
    made_at: string | null;
    failed_points: string[];
    report: string | null;
  }[];
  defects: { matter: string; class: string; title: string; state: string; opened_at: string }[];
}

interface Named {
  name: string;
  label: Label;
}

/** What a pack says of equipment. */
export interface LedgerPack extends Pack {
  equipment?: Named[];
  conditions?: Named[];
  cadences?: Named[];
  classes?: Named[];
  checklists?: { items: [name: string, label: Label][] }[];
}

/** Out of service for good: a condition of every pack. */
export const RETIRED = 'retired';

/** Kinds of equipment that packs know, each with the conditions of its pack. */
export function kindsOf(packs: readonly Pack[]): (Named & { conditions: Named[] })[] {
  return (packs as readonly LedgerPack[]).flatMap((pack) =>
    (pack.equipment ?? []).map((kind) => ({ ...kind, conditions: pack.conditions ?? [] })),
  );
}

export const kindName = (packs: readonly Pack[], kind: string, locale: Locale) =>
  kindsOf(packs).find(({ name }) => name === kind)?.label[locale] ?? kind;

export function conditionName(
  packs: readonly Pack[],
  kind: string,
  condition: string,
  locale: Locale,
): string {
  const known = kindsOf(packs).find(({ name }) => name === kind)?.conditions;
  return known?.find(({ name }) => name === condition)?.label[locale] ?? condition;
}

/** What packs call a cadence, a class of defects or a point of a checklist. */
export function packWord(packs: readonly Pack[], name: string, locale: Locale): string {
  for (const { cadences, classes, checklists } of packs as readonly LedgerPack[]) {
    const named = [...(cadences ?? []), ...(classes ?? [])].find((known) => known.name === name);
    if (named) return named.label[locale];
    const point = checklists?.flatMap(({ items }) => items).find(([known]) => known === name);
    if (point) return point[1][locale];
  }
  return name;
}
