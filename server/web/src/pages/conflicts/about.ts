// What a conflict is, and where what it is about is to be seen. Pure.

import type { Locale } from '../../lib/format';
import { MESSAGES, word } from '../../lib/i18n';
import { hrefOf } from '../../lib/route';
import { deskWords } from '../../lib/words';
import { stepWords } from '../matters/step-words';
import type { Conflict } from './types';
import { words } from './words';

/** What was done or written, in words. */
export function whatOf({ kind, what }: Pick<Conflict, 'kind' | 'what'>, locale: Locale): string {
  const t = words[locale];
  switch (kind) {
    case 'step':
      return t.one(t.kind.step, word(MESSAGES[locale].fact, what));
    case 'deed':
      return t.one(t.kind.deed, word(stepWords[locale].step, what));
    case 'opened':
      return t.one(t.kind.opened, word(deskWords[locale].matterKind, what));
    case 'visit':
      return t.kind.visit;
    default:
      return word({}, what || kind);
  }
}

/** Where it is to be seen: the report itself, the fault, the matter. */
export function placesOf(
  conflict: Pick<Conflict, 'id' | 'kind' | 'fault' | 'matter'>,
): { to: 'report' | 'fault' | 'matter'; href: string }[] {
  const { id, kind, fault, matter } = conflict;
  return [
    ...(kind === 'visit' ? [{ to: 'report' as const, href: hrefOf('visits', 'report', id) }] : []),
    ...(fault ? [{ to: 'fault' as const, href: hrefOf('fault', fault) }] : []),
    ...(matter ? [{ to: 'matter' as const, href: hrefOf('matters', matter) }] : []),
  ];
}
