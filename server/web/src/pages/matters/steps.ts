// What each step of a matter asks for, and the body that is posted for it. Pure.

import type { Values } from '../../lib/steps';

export type FieldType = 'text' | 'long' | 'time' | 'choice' | 'class' | 'level' | 'cause' | 'special';

export interface StepField {
  name: string;
  type: FieldType;
  choices?: readonly string[];
  /** Shown only while another field has this value. */
  when?: { field: string; is: string };
  optional?: boolean;
}

const YES_NO = ['yes', 'no'] as const;
const REASON: StepField = { name: 'reason', type: 'long' };
/** Only a supervisor may say so: the field is shown to them alone. */
const SPECIAL: StepField = { name: 'special', type: 'special', optional: true };

/** In the order of offering: along a matter's life, the rarer ones last. */
export const STEPS = {
  planned: [],
  permit_granted: [],
  begun: [],
  permit_returned: [],
  made: [],
  reviewed: [{ name: 'ok', type: 'choice', choices: YES_NO }],
  answered: [],
  agreed: [{ name: 'until', type: 'time' }],
  told: [{ name: 'reached', type: 'choice', choices: YES_NO }],
  routed: [{ name: 'unit', type: 'text' }],
  noticed: [{ name: 'name', type: 'text' }],
  resolved: [{ name: 'text', type: 'long' }],
  inspected: [{ name: 'ok', type: 'choice', choices: YES_NO }],
  callback: [
    { name: 'reached', type: 'choice', choices: YES_NO },
    {
      name: 'result',
      type: 'choice',
      choices: ['satisfied', 'unsatisfied'],
      when: { field: 'reached', is: 'yes' },
    },
  ],
  signed: [{ name: 'name', type: 'text' }],
  refused: [REASON],
  postponed: [{ name: 'until', type: 'time' }, REASON, SPECIAL],
  reclassed: [
    { name: 'class', type: 'class' },
    REASON,
    { name: 'until', type: 'time', optional: true },
    SPECIAL,
  ],
  raised: [{ name: 'level', type: 'level' }, REASON],
  assigned: [{ name: 'owner', type: 'text' }],
  paused: [{ name: 'cause', type: 'cause' }, REASON, { name: 'until', type: 'time' }],
  resumed: [],
  exempted: [{ name: 'cause', type: 'cause' }],
  closed_unconfirmed: [REASON],
  cancelled: [REASON],
  note: [{ name: 'text', type: 'long' }],
} satisfies Record<string, readonly StepField[]>;

export type MatterStepKind = keyof typeof STEPS;

const NAMES = Object.keys(STEPS) as MatterStepKind[];
/** What the rules reserve to a superior. */
const SUPERVISOR_ONLY: readonly MatterStepKind[] = ['closed_unconfirmed'];

/** The possible steps that somebody may take, in the order of offering. */
export function offered(possible: readonly string[], isSupervisor: boolean): MatterStepKind[] {
  return NAMES.filter((name) => possible.includes(name) && (isSupervisor || !SUPERVISOR_ONLY.includes(name)));
}

/** What leads on from here; what only changes or ends a matter is nobody's usual next step. */
const ONWARD: readonly MatterStepKind[] = [
  ...(['permit_returned', 'planned', 'permit_granted', 'begun', 'made', 'reviewed'] as const),
  ...(['answered', 'inspected', 'callback', 'told', 'noticed', 'resolved', 'signed', 'resumed'] as const),
];

/** The step that is offered first: not a plan for work that has begun. */
export function nextOf(
  steps: readonly MatterStepKind[],
  { planned_at }: { planned_at: string | null },
): MatterStepKind | null {
  const isPast = (step: MatterStepKind) => step === 'planned' && planned_at !== null;
  return ONWARD.find((step) => steps.includes(step) && !isPast(step)) ?? null;
}

/** Of an acceptance both sides sign. */
const SIDE: StepField = { name: 'side', type: 'choice', choices: ['ours', 'customer'] };

export function fieldsOf(
  kind: MatterStepKind,
  values: Values,
  isSupervisor: boolean,
  isAcceptance = false,
): readonly StepField[] {
  const own: readonly StepField[] = STEPS[kind];
  const all = kind === 'signed' && isAcceptance ? [SIDE, ...own] : own;
  return all.filter(({ when, type }) => {
    if (type === 'special') return isSupervisor;
    return !when || values[when.field] === when.is;
  });
}

/** The first required field that is still empty. */
export function missing(fields: readonly StepField[], values: Values): StepField | null {
  return fields.find((field) => !field.optional && !values[field.name]?.trim()) ?? null;
}

export type Body = Record<string, unknown> & { kind: MatterStepKind };

/** The body to post: times are in UTC already. */
export function bodyOf(kind: MatterStepKind, fields: readonly StepField[], values: Values): Body {
  const body: Body = { kind };
  for (const { name, type, choices } of fields) {
    const value = values[name]?.trim();
    if (!value) continue;
    if (type === 'special') body[name] = value === 'yes';
    else if (type === 'level') body[name] = Number(value);
    else body[name] = choices === YES_NO ? value === 'yes' : value;
  }
  return body;
}
