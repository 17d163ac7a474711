// What of a form is asked, and whether answers fit: as the agent and the server judge it (`shared/src/rules/form.rs`). Pure.

import type { Answer, FieldOf, Form, Lack, Range } from './types';

/** The longest answer, in characters. */
export const ANSWER_CHARS_MAX = 4_000;

export type Answers = Readonly<Record<string, Answer>>;

const fieldOf = ({ fields }: Pick<Form, 'fields'>, name: string) =>
  fields.find((field) => field.name === name);

/** An answer as conditions name it: a choice's name, or `yes` and `no`. */
function asCondition(answer: Answer): string {
  if (typeof answer === 'boolean') return answer ? 'yes' : 'no';
  return typeof answer === 'string' ? answer : '';
}

/** Whether a field is asked, given what was answered before it. */
export function isAsked(form: Pick<Form, 'fields'>, { when }: FieldOf, answers: Answers): boolean {
  if (!when) return true;
  const on = fieldOf(form, when.field);
  const answer = answers[when.field];
  if (!on || answer === undefined || !isAsked(form, on, answers)) return false;
  return when.is.includes(asCondition(answer));
}

/** What the answers lack, in the form's order. A number out of its range lacks nothing: it is what was measured. */
export function lacksOf(form: Pick<Form, 'fields'>, answers: Answers): Lack[] {
  const lacks = form.fields.flatMap((field): Lack[] => {
    const answer = answers[field.name];
    const why = answer === undefined ? missing(form, field, answers) : misfit(form, field, answer, answers);
    return why ? [{ field: field.name, why }] : [];
  });
  const unknown = Object.keys(answers).filter((name) => !fieldOf(form, name));
  return [...lacks, ...unknown.map((field): Lack => ({ field, why: 'unasked' }))];
}

const missing = (form: Pick<Form, 'fields'>, field: FieldOf, answers: Answers): Lack['why'] | null =>
  field.required && isAsked(form, field, answers) ? 'missing' : null;

function misfit(
  form: Pick<Form, 'fields'>,
  field: FieldOf,
  answer: Answer,
  answers: Answers,
): Lack['why'] | null {
  return isAsked(form, field, answers) ? lackOf(field, answer) : 'unasked';
}

/** What an answer to a field that is asked lacks. */
export function lackOf({ kind, required, choices }: FieldOf, answer: Answer): Lack['why'] | null {
  switch (kind) {
    case 'text':
    case 'paragraph':
      if (typeof answer !== 'string') return 'wrong';
      if (required && !answer.trim()) return 'missing';
      return [...answer].length > ANSWER_CHARS_MAX ? 'too_long' : null;
    case 'choice':
      return choices.some(([name]) => name === answer) ? null : 'wrong';
    case 'number':
      return typeof answer === 'number' ? null : 'wrong';
    case 'yes_no':
      return typeof answer === 'boolean' ? null : 'wrong';
  }
}

/** A reading is kept in thousandths, and judged as it is kept. */
export function isWithin({ at_least, at_most }: Range, reading: number): boolean {
  const kept = Math.round(reading * 1_000) / 1_000;
  return (at_least === null || kept >= at_least) && (at_most === null || kept <= at_most);
}

/** Whether an answer deserves a look: a number out of its range, or a no. */
export function isAmiss({ range }: Pick<FieldOf, 'range'>, answer: Answer | undefined): boolean {
  if (typeof answer === 'number') return range !== null && !isWithin(range, answer);
  return answer === false;
}

/** Only what is asked: an answer to a question that is not put any more is not sent. */
export function askedOnly(form: Pick<Form, 'fields'>, answers: Answers): Record<string, Answer> {
  const asked = form.fields.filter((field) => isAsked(form, field, answers));
  return Object.fromEntries(
    asked.flatMap(({ name }) => {
      const answer = answers[name];
      return answer === undefined ? [] : [[name, answer]];
    }),
  );
}
