// A report's draft as the page holds it, with every field, and as it is sent, without what is empty. Pure.

import type { Draft } from './types';

export const EMPTY: Draft = {
  customer: '',
  site: '',
  line: null,
  fault: null,
  round: null,
  class: null,
  mode: null,
  met: '',
  purpose: '',
  findings: '',
  needs: '',
  promises: '',
  form: null,
  answers: {},
  points: [],
  promised: [],
  satisfied: null,
  left_clean: null,
  signed_by: '',
  at: null,
  at_reason: '',
  photos: [],
  signature: null,
};

/** Absent is empty. */
export function whole(draft: Partial<Draft>): Draft {
  const given = Object.entries(draft).filter(([, value]) => value !== null && value !== undefined);
  return structuredClone({ ...EMPTY, ...Object.fromEntries(given) });
}

/** Empty is absent. */
export function lean(draft: Partial<Draft>): Partial<Draft> {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The same whatever the order of keys, and whether what is empty is written down. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, it: unknown) => {
    if (typeof it !== 'object' || it === null || Array.isArray(it)) return it;
    const filled = Object.entries(it).filter(([, value]) => !isEmpty(value));
    return Object.fromEntries(filled.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export const isSame = (a: Partial<Draft>, b: Partial<Draft>) => canonical(a) === canonical(b);

/** The fields in which two versions differ. */
export function differing(a: Partial<Draft>, b: Partial<Draft>): (keyof Draft)[] {
  const names = Object.keys(EMPTY) as (keyof Draft)[];
  return names.filter((name) => canonical({ it: a[name] }) !== canonical({ it: b[name] }));
}
