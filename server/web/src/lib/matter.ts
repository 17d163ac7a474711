// Matters as the API tells them: complaints, requests, defects, promises, rounds of visits and patrols.

import type { Alert } from './alert';
import type { Due } from './due';
import type { Label, Pack } from './types';

export const MATTER_KINDS = ['complaint', 'request', 'defect', 'promise', 'visit', 'patrol'] as const;
export type MatterKind = (typeof MATTER_KINDS)[number];
/** Kinds that are taken in by hand: rounds come of their duties. */
export const TAKEN_IN = ['complaint', 'request', 'defect', 'promise'] as const;
export const MATTER_STATES = [
  'open',
  'answered',
  'resolved',
  'closed',
  'closed_unconfirmed',
  'cancelled',
] as const;
export type MatterState = (typeof MATTER_STATES)[number];

export interface MatterDue extends Due {
  history: { verdict: string; at: string; learnt_at: string }[];
}

export interface Matter {
  id: string;
  kind: MatterKind;
  /** Its class, or the cadence that it is a round of. */
  class: string;
  class_label: Label | null;
  customer: string;
  line: string | null;
  site: string | null;
  title: string;
  state: MatterState;
  owner: string;
  first_receiver: string;
  pack: string;
  pack_version: string;
  opened_at: string;
  resolved_at: string | null;
  closed_at: string | null;
  level: number;
  postponed: number;
  /** Complaints that repeat it. */
  repeats: string[];
  about: string | null;
  planned_at: string | null;
  failed_points: string[];
  /** How it stands, where it is the acceptance of something new. */
  acceptance?: { state: string; refusals: number } | null;
  exempted: boolean;
  deadlines: MatterDue[];
}

export interface MatterFact {
  id: string;
  /** `opened`, or the step's kind. */
  kind: string;
  occurred_at: string;
  recorded_at: string;
  by: string;
  misfit: string | null;
  /** What it says, under `opened` or `step`. */
  detail: unknown;
}

export interface MatterDetail extends Matter {
  facts: MatterFact[];
  possible: string[];
  /** The oldest first. */
  alerts: Alert[];
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface RuleClass {
  matter: MatterKind;
  name: string;
  label: Label;
  supervisor_only: boolean;
  level: number;
  /** The permit to work that it takes. */
  permit?: string | null;
}

export interface Cadence {
  matter: MatterKind;
  name: string;
  label: Label;
  /** The ways that count; any when empty. */
  modes: string[];
  checklist: string | null;
  /** Whether who made the round names the report that was filed. */
  report?: boolean;
  /** The permit to work that it takes. */
  permit?: string | null;
}

/** What a permit to work takes. */
export interface PermitRule {
  name: string;
  label: Label;
  briefing: boolean;
  work_ticket: boolean;
  certificates: string[];
}

export interface Range {
  unit: string;
  at_least: number | null;
  at_most: number | null;
}

export interface Checklist {
  name: string;
  label: Label;
  items: [name: string, label: Label][];
  /** What is measured at points, by their names. */
  readings?: Record<string, Range>;
}

/** What matters need of a pack. */
export interface MatterPack extends Pack {
  classes: RuleClass[];
  cadences: Cadence[];
  checklists: Checklist[];
  levels: { name: string; label: Label }[];
  permits: PermitRule[];
}

export function isLive({ state }: Matter): boolean {
  return state === 'open' || state === 'answered' || state === 'resolved';
}

/** The pack that a matter is under. */
export function packOf(packs: readonly Pack[], name: string): MatterPack | undefined {
  return (packs as readonly MatterPack[]).find((pack) => pack.name === name);
}

/** The classes of a kind that packs know, each name once. */
export function classesOf(packs: readonly Pack[], kind: string): RuleClass[] {
  const all = (packs as readonly MatterPack[]).flatMap((pack) => pack.classes ?? []);
  const ofKind = all.filter((known) => known.matter === kind);
  return ofKind.filter((known, i) => ofKind.findIndex((other) => other.name === known.name) === i);
}
