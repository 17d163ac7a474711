// From what a report lacks to the field that lacks it.

import { EMPTY } from '../lib/draft-shape';

/** The id of the place of a field: the report's own, or one of its form. */
export function placeOf(field: string): string {
  const name = field.split(/[.[]/, 1)[0]!;
  return name in EMPTY ? `f-${name}` : `a-${field}`;
}

export function jumpTo(field: string): void {
  const place = document.getElementById(placeOf(field));
  place?.scrollIntoView({ block: 'center' });
  const control = place?.querySelector<HTMLElement>('input:not([type=hidden]), select, textarea, button');
  control?.focus({ preventScroll: true });
}
