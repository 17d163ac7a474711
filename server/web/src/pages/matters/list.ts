// Which matters are shown, and in which order. Pure.

import { dueStanding, nextDue, type DueStanding } from '../../lib/due';
import { isLive, type Matter } from '../../lib/matter';

export interface MatterRow {
  matter: Matter;
  /** What is due next. */
  due: { kind: string; standing: DueStanding } | null;
}

export interface Narrowing {
  kind: string;
  class: string;
  owner: string;
  words: string;
  /** Only what has something overdue. */
  overdue: boolean;
}

export function rowOf(matter: Matter, nowMs: number): MatterRow {
  const next = isLive(matter) ? nextDue(matter.deadlines) : null;
  const standing = next && dueStanding(next, nowMs);
  return { matter, due: next && standing ? { kind: next.kind, standing } : null };
}

/** What slips first on top; what owes nothing follows, the newest first. */
export function ordered(rows: readonly MatterRow[]): MatterRow[] {
  const left = ({ due }: MatterRow) => due?.standing.leftMs ?? Number.POSITIVE_INFINITY;
  const opened = ({ matter }: MatterRow) => Date.parse(matter.opened_at);
  return [...rows].sort((a, b) => {
    const [la, lb] = [left(a), left(b)];
    return la === lb ? opened(b) - opened(a) : la - lb;
  });
}

export function matches({ matter, due }: MatterRow, by: Narrowing, customerName: string): boolean {
  if (by.kind && matter.kind !== by.kind) return false;
  if (by.class && matter.class !== by.class) return false;
  if (by.owner && matter.owner !== by.owner) return false;
  if (by.overdue && due?.standing.urgency !== 'missed') return false;
  const words = by.words.trim().toLowerCase();
  if (!words) return true;
  const { title, customer, line, site, owner } = matter;
  return [title, customer, customerName, line, site, owner].some((text) =>
    text?.toLowerCase().includes(words),
  );
}

/** Who answers for any of them, each once. */
export function ownersOf(rows: readonly MatterRow[]): string[] {
  return [...new Set(rows.map(({ matter }) => matter.owner))].sort();
}

/** The address of the list with one thing narrowed otherwise. A class belongs to a kind. */
export function narrowed(query: URLSearchParams, name: string, value: string): string {
  const others = [...query].filter(([key]) => key !== name && !(name === 'kind' && key === 'class'));
  const asked = new URLSearchParams(value ? [...others, [name, value]] : others).toString();
  return `#/matters${asked ? `?${asked}` : ''}`;
}
