// What the agent refuses, in plain words.

import { ApiError } from '../../../src/lib/api';
import { explain as explainAny } from '../../../src/lib/errors';
import { duration, type Locale } from '../../../src/lib/format';
import { word } from '../../../src/lib/i18n';
import { Refusal } from './api';
import { refusalWords } from '../words/refusals';
import { stepWords } from '../words/work';

export function explain(error: unknown, locale: Locale): string {
  const w = refusalWords[locale];
  if (!(error instanceof ApiError)) return w.unexpected;
  if (error.status === 0) return w.noAnswer;
  if (error.code === 'too_many_tries') return w.tooManyTries(waitOf(error, locale));
  const known: Record<string, string> = w.code;
  if (error.code === 'impossible' && error.possible) {
    const names = error.possible.map((step) => word(stepWords[locale].step, step));
    return w.impossible(new Intl.ListFormat(locale, { type: 'disjunction' }).format(names));
  }
  const said = known[error.code];
  if (said === undefined) return explainAny(error, locale);
  return said;
}

function waitOf(error: ApiError, locale: Locale): string {
  const seconds = error instanceof Refusal ? Number(error.body.retry_after_s) : NaN;
  return duration((Number.isFinite(seconds) ? Math.max(1, seconds) : 60) * 1_000, locale);
}
