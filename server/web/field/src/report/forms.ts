// Which forms are offered for a report. Pure.

import type { Draft, Form } from '../lib/types';

const isThat = (form: Form, name: NonNullable<Draft['form']>) =>
  form.pack === name.pack && form.version === name.version && form.name === name.name;

export const formOf = (forms: readonly Form[], name: Draft['form']): Form | null =>
  (name && forms.find((form) => isThat(form, name))) ?? null;

/** The newest version of each form for such a report; and the one that was begun with, whatever its age. */
export function offered(forms: readonly Form[], isPatrol: boolean, begun: Draft['form']): Form[] {
  const wanted = forms.filter((form) => form.for === (isPatrol ? 'patrol' : 'visit'));
  const newest = wanted.filter(
    (form) => !wanted.some((other) => isSuccessor(other, form) && isNewer(other.version, form.version)),
  );
  const kept = formOf(forms, begun);
  return kept && !newest.includes(kept) ? [kept, ...newest] : newest;
}

const isSuccessor = (a: Form, b: Form) => a.pack === b.pack && a.name === b.name;
const isNewer = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true }) > 0;

/** A form's name as a value of a field. */
export const keyOf = ({ pack, version, name }: { pack: string; version: string; name: string }) =>
  JSON.stringify([pack, version, name]);
