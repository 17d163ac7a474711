// What is measured by hand: numbers as they are typed, and the ranges in which they are well. Pure.

import type { Range } from './matter';

/** A number as it was typed, with a point or a comma; none where it is no number. */
export function readingOf(text: string | undefined): number | null {
  const typed = (text ?? '').trim().replace(',', '.').replace('−', '-');
  return /^-?\d+(\.\d+)?$/.test(typed) ? Number(typed) : null;
}

/** In which range a reading is well, such as `-24 … -8 dBm`. */
export function rangeText({ unit, at_least, at_most }: Range): string {
  if (at_least === null && at_most === null) return unit;
  if (at_least === null) return `≤ ${at_most} ${unit}`;
  return at_most === null ? `≥ ${at_least} ${unit}` : `${at_least} … ${at_most} ${unit}`;
}
