// Who answers for a customer just now, and what is wanting to reach them. Pure.

import type { Absence } from '../shift/types';
import type { Customer, Grading, GradingPack } from './types';

/** The absence of a person that goes on at a moment; the one that ends last. */
export function awayNow(absences: readonly Absence[], person: string | null, nowMs: number): Absence | null {
  const goesOn = absences.filter(
    (absence) =>
      absence.person === person && Date.parse(absence.from) <= nowMs && Date.parse(absence.until) > nowMs,
  );
  return goesOn.sort((a, b) => Date.parse(b.until) - Date.parse(a.until))[0] ?? null;
}

/** Whether the deputy stands in: the manager is away, and the deputy is not. */
export function standsIn(absences: readonly Absence[], customer: Customer, nowMs: number): boolean {
  if (!customer.deputy || !awayNow(absences, customer.manager, nowMs)) return false;
  return awayNow(absences, customer.deputy, nowMs) === null;
}

export interface Want {
  field: string;
  /** What stands there and cannot be used; none where nothing does. */
  value: string | null;
}

/** Reads `contact_phone is missing`, `manager_email is no mail address: x`. */
export function wantOf(text: string): Want {
  const [, field = text, rest = ''] = /^(\w+) is (.*)$/s.exec(text) ?? [];
  const colon = rest.indexOf(': ');
  return { field, value: colon < 0 ? null : rest.slice(colon + 2) };
}

/** The pack that grades a customer: its own, or else one that grades at all. */
export function gradingOf(packs: readonly GradingPack[], own: string): Grading | null {
  const graders = packs.filter(({ grading }) => grading);
  return (graders.find(({ name }) => name === own) ?? graders[0])?.grading ?? null;
}

/** Points as they are posted; null where one is missing or above its weight. */
export function scores(
  grading: Grading,
  typed: Record<string, string | number>,
): Record<string, number> | null {
  const read = grading.indicators.map(({ name, weight }) => {
    const text = String(typed[name] ?? '').trim();
    const points = Number(text);
    return [name, text && points >= 0 && points <= weight ? points : null] as const;
  });
  if (read.some(([, points]) => points === null)) return null;
  return Object.fromEntries(read) as Record<string, number>;
}
