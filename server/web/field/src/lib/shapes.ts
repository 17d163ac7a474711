// The agent leaves out what is empty, and hands on records as they are stored: here they become what the page reckons with.
// Pure.

import type {
  Answer,
  Checklist,
  ChecklistItem,
  FieldOf,
  Form,
  ToldAnswer,
  ToldForm,
  ToldVisit,
  Visit,
} from './types';

const NO_FIELD: Omit<FieldOf, 'name' | 'label' | 'kind'> = {
  range: null,
  choices: [],
  required: false,
  when: null,
  help: null,
};

export const wholeForm = (form: ToldForm): Form => ({
  ...form,
  fields: form.fields.map((field) => ({ ...NO_FIELD, ...field })),
});

/** The points of a checklist, each with what is measured at it. */
export const itemsOf = ({ items, readings }: Checklist): ChecklistItem[] =>
  items.map(([name, label]) => ({ name, label, range: readings?.[name] ?? null }));

/** An answer as a record keeps it names its kind. */
export function answerOf(value: ToldAnswer): Answer {
  if (typeof value !== 'object') return value;
  return Object.values(value)[0] as Answer;
}

export function wholeVisit({ visit, form, ...rest }: ToldVisit): Visit {
  const answers = (visit.answers ?? []).map(({ field, value }) => ({ field, value: answerOf(value) }));
  return { ...rest, visit: { ...visit, answers }, form: form && wholeForm(form) };
}
