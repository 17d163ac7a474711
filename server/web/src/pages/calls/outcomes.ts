// What may come of a call, and the step that each writes down. Pure.

import type { StepKind } from '../../lib/types';
import type { Call } from './types';

export type OutcomeName = 'reached' | 'notReached' | 'satisfied' | 'unsatisfied' | 'unhappy' | 'stillDown';

export interface Outcome {
  name: OutcomeName;
  body: { kind: StepKind | 'told'; reached: boolean; result?: string; service?: string };
}

export function outcomesOf({ kind, about }: Call): Outcome[] {
  if (kind === 'feedback' || kind === 'progress') {
    const step = kind === 'feedback' ? 'feedback' : 'told';
    return [
      { name: 'reached', body: { kind: step, reached: true } },
      { name: 'notReached', body: { kind: step, reached: false } },
    ];
  }
  const answered = (name: OutcomeName, result: string, service?: string): Outcome => ({
    name,
    body: { kind: 'callback', reached: true, result, ...(service && { service }) },
  });
  const displeased =
    'fault' in about
      ? [answered('unsatisfied', 'unsatisfied', 'up'), answered('stillDown', 'unsatisfied', 'down')]
      : [answered('unhappy', 'unsatisfied')];
  return [
    answered('satisfied', 'satisfied'),
    ...displeased,
    { name: 'notReached', body: { kind: 'callback', reached: false } },
  ];
}

/** A call that was made before, whatever it was about. */
export interface Try {
  id: string;
  at: string;
  by: string;
  /** `reached`, `not_reached`, or what the customer said. */
  result: 'reached' | 'not_reached' | 'satisfied' | 'unsatisfied' | 'still_down';
  note: string;
}

interface FaultFact {
  id: string;
  kind: string;
  occurred_at: string;
  by: string | null;
  reached?: unknown;
  result?: unknown;
  service?: unknown;
  note?: unknown;
}

/** Calls of a kind among a fault's facts, the newest first. */
export function triesOfFault(facts: readonly FaultFact[], kind: string): Try[] {
  const wanted = kind === 'feedback' ? 'feedback' : 'callback';
  return facts
    .filter((fact) => fact.kind === wanted)
    .map((fact) => ({
      id: fact.id,
      at: fact.occurred_at,
      by: fact.by ?? '',
      result: resultOf(fact),
      note: typeof fact.note === 'string' ? fact.note : '',
    }))
    .reverse();
}

function resultOf({ reached, result, service }: FaultFact): Try['result'] {
  if (reached === false) return 'not_reached';
  if (result === 'satisfied') return 'satisfied';
  if (result === 'unsatisfied') return service === 'down' ? 'still_down' : 'unsatisfied';
  return 'reached';
}

interface MatterFact {
  id: string;
  kind: string;
  occurred_at: string;
  by: string;
  detail: unknown;
}

const RESULTS: readonly string[] = ['not_reached', 'satisfied', 'unsatisfied', 'still_down'];

/** Calls of a kind among a matter's facts, the newest first. */
export function triesOfMatter(facts: readonly MatterFact[], kind: string): Try[] {
  const wanted = kind === 'progress' ? 'told' : 'callback';
  return facts
    .filter((fact) => fact.kind === wanted)
    .map(({ id, occurred_at, by, detail }) => ({ id, at: occurred_at, by, result: toldOf(detail), note: '' }))
    .reverse();
}

function toldOf(detail: unknown): Try['result'] {
  const step = (detail as { step?: { told?: { reached: boolean }; callback?: string } }).step;
  if (step?.callback && RESULTS.includes(step.callback)) return step.callback as Try['result'];
  return step?.told?.reached === false ? 'not_reached' : 'reached';
}
