// What to say to the customer: a few sentences made from how the fault, or the matter, stands. Pure.

import { current } from '../../lib/due';
import { duration, moment, type Locale } from '../../lib/format';
import type { Matter } from '../../lib/matter';
import type { Call, CallFault } from './types';
import { words } from './words';

export interface Saying {
  nowMs: number;
  todayMs: number;
  locale: Locale;
}

export function scriptOf(call: Call, saying: Saying): string[] {
  if ('matter' in call.about) return ofMatter(call, call.about.matter, saying);
  const { fault } = call.about;
  const asked = call.kind === 'callback' || call.kind === 'supervisor';
  return asked ? ofCallback(fault, saying) : ofFeedback(call, fault, saying);
}

const at = (time: string | number, { todayMs, locale }: Saying) =>
  moment(typeof time === 'number' ? time : Date.parse(time), todayMs, locale);

function ofFeedback(call: Call, fault: CallFault, saying: Saying): string[] {
  const t = words[saying.locale].script;
  const { locale, nowMs } = saying;
  if (fault.restored_at) {
    const took = duration(Date.parse(fault.restored_at) - Date.parse(fault.started_at), locale);
    return [
      t.hello,
      t.line(fault.line, fault.site ?? ''),
      t.back(at(fault.restored_at, saying), took),
      t.check,
    ];
  }
  const lasts = duration(nowMs - Date.parse(fault.started_at), locale);
  const since = at(fault.started_at, saying);
  return [
    t.hello,
    t.line(fault.line, fault.site ?? ''),
    fault.degraded ? t.degraded(since, lasts) : t.down(since, lasts),
    fault.reported ? '' : t.noticed,
    t.done[fault.state as keyof typeof t.done] ?? '',
    promised(fault, saying),
    t.next(at(nextWordMs(call, fault.feedback?.allowance_ms ?? null, nowMs), saying)),
  ].filter(Boolean);
}

function promised(fault: CallFault, saying: Saying): string {
  const t = words[saying.locale].script;
  if (!fault.restoration) return '';
  if (fault.restoration.state === 'paused') return t.onHold;
  const due = at(fault.restoration.due_at, saying);
  return Date.parse(fault.restoration.due_at) < saying.nowMs ? t.late(due) : t.promise(due);
}

function ofCallback(fault: CallFault, saying: Saying): string[] {
  const t = words[saying.locale].script;
  const back = fault.restored_at ? at(fault.restored_at, saying) : '';
  return [
    t.hello,
    t.line(fault.line, fault.site ?? ''),
    t.repaired(at(fault.started_at, saying), back),
    t.well,
  ];
}

function ofMatter(call: Call, matter: Matter, saying: Saying): string[] {
  const t = words[saying.locale].script;
  const about = t.matter(
    t.kind[matter.kind as keyof typeof t.kind] ?? '',
    matter.title,
    at(matter.opened_at, saying),
  );
  if (call.kind === 'callback' || call.kind === 'supervisor') {
    return [t.hello, about, t.solved(matter.resolved_at ? at(matter.resolved_at, saying) : ''), t.well];
  }
  const solution = current(matter.deadlines).find(
    (due) => due.kind === 'resolution' && due.state !== 'cancelled',
  );
  const late = solution ? Date.parse(solution.due_at) < saying.nowMs : false;
  const word = matter.deadlines.find(
    (due) => due.kind === 'progress' && Date.parse(due.due_at) === call.standing.dueMs,
  );
  const spanMs = word ? Date.parse(word.due_at) - Date.parse(word.started_at) : null;
  return [
    t.hello,
    about,
    matter.state === 'open' ? t.takenIn : t.inHand,
    solution ? (late ? t.solutionLate : t.solution)(at(solution.due_at, saying)) : '',
    t.next(at(nextWordMs(call, spanMs, saying.nowMs), saying)),
  ].filter(Boolean);
}

/** When the customer hears of us again, once reached now. */
function nextWordMs(call: Call, spanMs: number | null, nowMs: number): number {
  return spanMs && spanMs > 0 ? nowMs + spanMs : call.standing.dueMs;
}
