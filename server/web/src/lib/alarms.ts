// What deserves a sound: a fault that was not there before, and a promise that came nearer to being missed. Pure.

import type { Row } from './rows';
import type { Urgency } from './deadline';

export type Alarm = 'new' | 'slipping' | 'missed';
export type Heard = ReadonlyMap<string, Urgency>;

/** How the faults stand: what the next look is compared with. */
export function standing(rows: readonly Row[]): Heard {
  return new Map(rows.map(({ fault, urgency }) => [fault.id, urgency]));
}

/** The gravest change since; null where nothing got worse. A fault under another id of its own is not new. */
export function alarm(before: Heard, rows: readonly Row[]): Alarm | null {
  const found = new Set<Alarm>();
  for (const { fault, urgency } of rows) {
    const id = [fault.id, ...fault.aliases].find((name) => before.has(name));
    if (id === undefined) found.add('new');
    const was = id === undefined ? undefined : before.get(id);
    if (urgency === 'missed' && was !== 'missed') found.add('missed');
    if (urgency === 'slipping' && was !== 'slipping' && was !== 'missed') found.add('slipping');
  }
  return (['missed', 'slipping', 'new'] as const).find((kind) => found.has(kind)) ?? null;
}
