// A failure in plain words.

import { ApiError } from './api';
import type { Locale } from './format';
import { MESSAGES, word } from './i18n';

export function explain(error: unknown, locale: Locale): string {
  const t = MESSAGES[locale];
  if (!(error instanceof ApiError)) return t.error.other(0);
  switch (error.status) {
    case 0:
      return t.error.no_answer;
    case 401:
      return t.error.signed_out;
    case 403:
      return error.code === 'screen' ? t.error.screen : t.error.forbidden;
    case 429:
      return t.error.too_many;
    case 404:
      return error.code === 'unknown_fault' ? t.error.unknown_fault : error.detail;
    case 409:
      return refusedStep(error, locale);
    default:
      return [error.field, error.detail].filter(Boolean).join(' ') || t.error.other(error.status);
  }
}

function refusedStep(error: ApiError, locale: Locale): string {
  const t = MESSAGES[locale];
  const steps = error.possible;
  const what = error.code === 'step_impossible' ? t.error.step_impossible : error.detail;
  if (!steps) return what || t.error.other(error.status);
  const list = new Intl.ListFormat(locale, { type: 'disjunction' });
  const names = list.format(steps.map((step) => word(t.step, step)));
  return `${what} ${names ? t.error.possible(names) : t.error.nothingPossible}`;
}
