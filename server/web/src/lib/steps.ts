// What each step of a fault asks for, and the body that is posted for it.

import type { Cause, NewFact, Pack, StepKind } from './types';

export type FieldType = 'choice' | 'text' | 'time' | 'cause';

export interface Field {
  name: string;
  type: FieldType;
  /** The values of a choice. */
  choices?: readonly string[];
  /** Shown only while another field has this value. */
  when?: { field: string; is: string };
  optional?: boolean;
}

/** The order in which steps are offered: along a fault's life, the rarer ones last. */
export const STEPS: readonly StepKind[] = [
  'acknowledged',
  'dispatched',
  'arrived',
  'feedback',
  'restored',
  'repaired',
  'callback',
  'reopened',
  'paused',
  'resumed',
  'exempted',
  'note',
];

/** Steps that the row offers as its one next step, and those that go without a form. */
const LIFE: readonly StepKind[] = ['acknowledged', 'dispatched', 'restored', 'repaired', 'callback'];
export const AT_ONCE: readonly StepKind[] = ['acknowledged', 'dispatched'];

const YES_NO = ['yes', 'no'] as const;

/** What was said, for the record. */
const NOTE: Field = { name: 'note', type: 'text', optional: true };

const FIELDS: Record<StepKind, readonly Field[]> = {
  acknowledged: [],
  dispatched: [],
  arrived: [],
  restored: [],
  repaired: [],
  resumed: [],
  feedback: [{ name: 'reached', type: 'choice', choices: YES_NO }, NOTE],
  callback: [
    { name: 'reached', type: 'choice', choices: YES_NO },
    {
      name: 'result',
      type: 'choice',
      choices: ['satisfied', 'unsatisfied'],
      when: { field: 'reached', is: 'yes' },
    },
    {
      name: 'service',
      type: 'choice',
      choices: ['up', 'down'],
      when: { field: 'result', is: 'unsatisfied' },
    },
    NOTE,
  ],
  reopened: [
    { name: 'case', type: 'choice', choices: ['never_came_back', 'failed_again'] },
    { name: 'reason', type: 'text' },
  ],
  paused: [
    { name: 'cause', type: 'cause' },
    { name: 'reason', type: 'text' },
    { name: 'until', type: 'time' },
    { name: 'evidence', type: 'text' },
    { name: 'grantor', type: 'text', optional: true },
  ],
  exempted: [
    { name: 'cause', type: 'cause' },
    { name: 'grantor', type: 'text', optional: true },
  ],
  note: [{ name: 'text', type: 'text' }],
};

export type Values = Record<string, string>;

export function visibleFields(kind: StepKind, values: Values): readonly Field[] {
  const isVisible = ({ when }: Field): boolean =>
    !when ||
    (values[when.field] === when.is && FIELDS[kind].some((f) => f.name === when.field && isVisible(f)));
  return FIELDS[kind].filter(isVisible);
}

/** The causes that a fault's pack lists for a step; null where they are not known. */
export function causesOf(packs: readonly Pack[], pack: string, kind: StepKind): readonly Cause[] | null {
  const exact = packs.find((p) => `${p.name} ${p.version}` === pack);
  const found = exact ?? packs.find((p) => pack.startsWith(`${p.name} `));
  const causes = kind === 'paused' ? found?.pause_causes : found?.exempt_causes;
  return causes?.length ? causes : null;
}

/** The first required field that is still empty. */
export function missingField(kind: StepKind, values: Values): Field | null {
  return visibleFields(kind, values).find((f) => !f.optional && !values[f.name]?.trim()) ?? null;
}

/** The body to post. `occurredAt` is left out for "now": the server's own clock then says when. */
export function stepBody(kind: StepKind, values: Values, occurredAt: string | null): NewFact {
  const body: NewFact = { kind };
  if (occurredAt) body.occurred_at = occurredAt;
  for (const field of visibleFields(kind, values)) {
    const value = values[field.name]?.trim();
    if (value) body[field.name] = field.choices === YES_NO ? value === 'yes' : value;
  }
  return body;
}

export function isStep(kind: string): kind is StepKind {
  return (STEPS as readonly string[]).includes(kind);
}

/** The possible steps this page has a form for, in the order of offering. */
export function offered(possible: readonly string[]): StepKind[] {
  return STEPS.filter((step) => possible.includes(step));
}

/**
 * The one step along the fault's life that comes next: stating the restoration, once evidence says that
 * service is back.
 */
export function nextStep(possible: readonly string[], isBack = false): StepKind | null {
  if (isBack && possible.includes('restored')) return 'restored';
  return LIFE.find((step) => possible.includes(step)) ?? null;
}
