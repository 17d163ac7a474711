// Who is owed a word now, the most urgent first. Pure.

import type { Row } from '../../lib/rows';
import { current, dueStanding, isDue, type Due } from '../../lib/due';
import type { Matter } from '../../lib/matter';
import type { Deadline } from '../../lib/types';
import type { Call, CallFault, CallKind } from './types';

export const GROUPS = ['all', 'feedback', 'callback', 'progress'] as const;
export type Group = (typeof GROUPS)[number];

/** A supervisor's decision is about a callback. */
export const groupOf = (kind: CallKind): Group => (kind === 'supervisor' ? 'callback' : kind);

const OF_FAULT = ['feedback', 'callback', 'supervisor'] as const;
const OF_MATTER: readonly string[] = ['progress', 'callback', 'supervisor'];

export function callsOf(rows: readonly Row[], matters: readonly Matter[], nowMs: number): Call[] {
  const faults = rows.map((row) => row.fault as CallFault);
  const all = [
    ...faults.flatMap((fault) => ofFault(fault, nowMs)),
    ...matters.flatMap((m) => ofMatter(m, nowMs)),
  ];
  return all.sort((a, b) => a.standing.leftMs - b.standing.leftMs || a.id.localeCompare(b.id));
}

function ofFault(fault: CallFault, nowMs: number): Call[] {
  return OF_FAULT.flatMap((kind) => {
    const standing = fault[kind] && dueStanding(asDue(kind, fault[kind]), nowMs);
    return standing ? [{ kind, id: fault.id, standing, customer: fault.customer, about: { fault } }] : [];
  });
}

function ofMatter(matter: Matter, nowMs: number): Call[] {
  const owed = current(matter.deadlines).filter((due) => OF_MATTER.includes(due.kind) && isDue(due));
  return owed.flatMap((due) => {
    const standing = dueStanding(due, nowMs);
    const kind = due.kind as CallKind;
    return standing ? [{ kind, id: matter.id, standing, customer: matter.customer, about: { matter } }] : [];
  });
}

/** A fault's promise says its allowance instead of its start. */
function asDue(kind: string, deadline: Deadline): Due {
  const startMs = Date.parse(deadline.due_at) - (deadline.allowance_ms ?? 0);
  const { due_at, state, remaining_ms, met_at } = deadline;
  const started_at = new Date(startMs).toISOString();
  return { kind, period: '', started_at, due_at, state, remaining_ms, met_at: met_at ?? null };
}

export const keyOf = ({ kind, id }: { kind: string; id: string }) => `${kind}/${id}`;

/** The call to take after one: the one behind it, or else the first other one. */
export function following(calls: readonly Call[], key: string): Call | null {
  const at = calls.findIndex((call) => keyOf(call) === key);
  return calls[at + 1] ?? calls.find((call) => keyOf(call) !== key) ?? null;
}

/** Nodes on which several customers' feedback hangs: one word may serve them all. */
export function sharedNodes(calls: readonly Call[]): { name: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { kind, about } of calls) {
    const name = 'fault' in about && kind === 'feedback' ? about.fault.upstream : null;
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > 1).map(([name, count]) => ({ name, count }));
}
