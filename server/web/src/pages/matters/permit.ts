// A permit to work, as its form fills it in. Pure.

import { fromLocalInput } from '../../lib/format';
import type { Matter, MatterPack, PermitRule } from '../../lib/matter';

export interface Held {
  number: string;
  validUntil: string;
}

export interface PermitValues {
  to: string;
  work: string;
  from: string;
  until: string;
  ticket: string;
  briefing: boolean;
  /** By the certificate's name. */
  certificates: Record<string, Held>;
}

/** Which permit the work takes; none where it takes none. */
export function permitOf(pack: MatterPack | undefined, matter: Matter): PermitRule | null {
  const rules = matter.kind === 'defect' ? pack?.classes : pack?.cadences;
  const rule = rules?.find((known) => known.matter === matter.kind && known.name === matter.class);
  return pack?.permits?.find(({ name }) => name === rule?.permit) ?? null;
}

export type PermitField = 'to' | 'work' | 'from' | 'until' | 'ticket' | 'briefing' | 'certificate';

/** The first thing that is wanting; of a certificate, which one. */
export function wanting(
  values: PermitValues,
  rule: PermitRule | null,
): { field: PermitField; of?: string } | null {
  for (const field of ['to', 'work', 'from', 'until'] as const) if (!values[field].trim()) return { field };
  if (rule?.briefing && !values.briefing) return { field: 'briefing' };
  if (rule?.work_ticket && !values.ticket.trim()) return { field: 'ticket' };
  const without = rule?.certificates.find((name) => !values.certificates[name]?.validUntil);
  return without ? { field: 'certificate', of: without } : null;
}

export function permitBody(values: PermitValues): object {
  const certificates = Object.entries(values.certificates)
    .filter(([, { validUntil }]) => validUntil)
    .map(([name, { number, validUntil }]) => ({
      name,
      number: number.trim(),
      valid_until: endOfDay(validUntil),
    }));
  return {
    to: values.to.trim(),
    work: values.work.trim(),
    from: fromLocalInput(values.from) ?? '',
    until: fromLocalInput(values.until) ?? '',
    ...(values.ticket.trim() && { ticket: values.ticket.trim() }),
    briefing: values.briefing,
    certificates,
  };
}

/** A paper that is valid until a day is valid through it. */
function endOfDay(day: string): string {
  return fromLocalInput(`${day}T23:59:59`) ?? '';
}
