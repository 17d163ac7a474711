// A failure in plain words. What the server says is English: a reader of Chinese gets words by its code, and the server's
// own below them only where they say more.

import { ApiError } from './api';
import { errorWords } from './error-words';
import { FIELDS_ZH, reasonZh } from './error-zh';
import type { Locale } from './format';
import { MESSAGES, word } from './i18n';

/** Refusals whose words say everything: the server's own would only repeat them. */
const PLAIN: readonly string[] = [
  'bad_credentials',
  'bad_idempotency_key',
  'bad_identity',
  'bad_second_factor',
  'body_unreadable',
  'busy',
  'cross_site',
  'forbidden',
  'identity_disabled',
  'identity_without_name',
  'identity_without_role',
  'internal',
  'no_single_sign_on',
  'not_json',
  'provider_unusable',
  'screen',
  'session_only',
  'sign_in_over',
  'supervisor_only',
  'timeout',
  'token_scope',
  'too_many_attempts',
  'unauthenticated',
  'weak_password',
];

export function explain(error: unknown, locale: Locale): string {
  const t = MESSAGES[locale].error;
  if (!(error instanceof ApiError)) return t.other(0);
  const { status, code, detail, field, possible } = error;
  if (status === 0) return t.no_answer;
  const words: Record<string, string> = errorWords[locale].code;
  const known = Object.hasOwn(words, code) ? words[code]! : general(status, locale);
  if (possible?.length) return refusedStep(error, known, locale);
  if (PLAIN.includes(code)) return known;
  if (field) return wrongField(field, detail, locale);
  if (locale === 'en') return detail || known;
  if (/: somebody else (approves|decides)$/.test(detail)) return errorWords.zh.somebodyElse;
  // What there is not was named by the reader.
  return detail && !code.startsWith('unknown') ? `${known}\n${detail}` : known;
}

/** Refusals of which nothing is known but their status. */
function general(status: number, locale: Locale): string {
  const t = MESSAGES[locale].error;
  if (status === 401) return t.signed_out;
  if (status === 403) return t.forbidden;
  return status === 429 ? t.too_many : t.other(status);
}

/** A step that is not possible, and those that are. */
function refusedStep({ code, detail, possible }: ApiError, known: string, locale: Locale): string {
  const t = MESSAGES[locale];
  const list = new Intl.ListFormat(locale, { type: 'disjunction' });
  const names = list.format((possible ?? []).map((step) => word(t.step, step)));
  const said = locale === 'en' && detail ? detail : known;
  return `${code === 'step_impossible' ? t.error.step_impossible : said} ${t.error.possible(names)}`;
}

/** A field that is not accepted, by its name. */
function wrongField(field: string, detail: string, locale: Locale): string {
  if (locale === 'en') return `${field.replaceAll('_', ' ')} ${detail}`.trim();
  const name = `“${FIELDS_ZH[field] ?? field}”`;
  const reason = reasonZh(detail);
  return reason ? `${name}${reason}。` : `${name}不符合要求。${detail && `\n${detail}`}`;
}
