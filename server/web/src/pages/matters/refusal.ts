// Why the server refused a step, in the reader's words. What it says in a form that is not known is shown as it is.

import { ApiError } from '../../lib/api';
import { moment, type Locale } from '../../lib/format';
import { errorWords } from '../../lib/error-words';
import { explain } from '../../lib/errors';
import { word } from '../../lib/i18n';
import { stepWords } from './step-words';

type Say = (t: (typeof stepWords)['en']['refused'], part: string, at: (time: string) => string) => string;

const KNOWN: readonly [RegExp, Say][] = [
  [/^it was put off (\d+) times already/, (t, n) => t.putOffAlready(Number(n))],
  [/^a promised time lies at most (.+?) ahead/, (t, span) => t.tooFar(span)],
  [/^it is put off to before its due time, (\S+)/, (t, time, at) => t.beforeDue(at(time))],
  [/^its time has passed at (\S+?);/, (t, time, at) => t.passed(at(time))],
  [/^the time for an answer has passed at (\S+)/, (t, time, at) => t.answerPassed(at(time))],
  [/^the answer is due at (\S+) anyway/, (t, time, at) => t.answerAnyway(at(time))],
  [/^no time was promised/, (t) => t.nothingPromised],
  [/^it is at level (\d+) already/, (t) => t.levelAlready],
  [/^only a supervisor judges/, (t) => t.supervisorJudges],
  [/^the permit ends before it begins/, (t) => t.permitOver],
  [/^the permit ".*" lacks: (.+)/, (t, what) => t.permitLacks(what)],
  [/^no permit to work is in force/, (t) => t.noPermitNow],
  [/^no permit to work was granted/, (t) => t.noPermit],
  [/^the permit until (\S+) is still out/, (t, time, at) => t.permitOut(at(time))],
  [/^points of the checklist to be answered once each: (.+)/, (t, points) => t.points(points)],
];

export function refusal(error: unknown, todayMs: number, locale: Locale): string {
  if (!(error instanceof ApiError) || error.status === 0) return explain(error, locale);
  const t = stepWords[locale];
  if (error.code === 'supervisor_only') return t.refused.supervisorOnly;
  if (error.code !== 'step_impossible') return explain(error, locale);
  const why = error.detail.replace(/; possible now: .*$/s, '');
  const at = (time: string) => moment(Date.parse(time), todayMs, locale);
  for (const [pattern, say] of KNOWN) {
    const found = pattern.exec(why);
    if (found) return say(t.refused, found[1] ?? '', at);
  }
  const possible = (error.possible ?? []).filter((step) => step in t.step);
  const names = new Intl.ListFormat(locale, { type: 'disjunction' }).format(
    possible.map((step) => word(t.step, step)),
  );
  const said = names ? ` ${t.refused.possible(names)}` : '';
  if (locale === 'en') return why + said;
  // That a step is not possible is all that its first words say.
  const more = /^".*" is not possible while /.test(why) ? '' : `\n${why}`;
  return errorWords.zh.code.step_impossible + said + more;
}
