// What an account manager owes: promises of faults and of matters in one list, what slips first on top. Pure.

import { dueStanding, nextDue, type DueStanding } from '../../lib/due';
import { isLive, type Matter } from '../../lib/matter';
import { owedOf, type Row } from '../../lib/rows';
import type { Customer } from './types';

export interface OwedItem {
  id: string;
  isFault: boolean;
  /** What is owed next. */
  kind: string;
  standing: DueStanding;
  customer: string;
  /** The line, or what the matter is called. */
  what: string;
  state: string;
}

function ofFault(row: Row, nowMs: number): OwedItem[] {
  const first = owedOf(row, nowMs)[0];
  if (!first) return [];
  const { dueMs, leftMs, urgency } = first;
  const standing = { dueMs, leftMs, urgency, used: first.used ?? 0 };
  const { id, customer, line, state } = row.fault;
  return [{ id, isFault: true, kind: first.kind, standing, customer, what: line, state }];
}

function ofMatter(matter: Matter, nowMs: number): OwedItem[] {
  const next = isLive(matter) ? nextDue(matter.deadlines) : null;
  const standing = next && dueStanding(next, nowMs);
  if (!next || !standing) return [];
  const { id, customer, title, state } = matter;
  return [{ id, isFault: false, kind: next.kind, standing, customer, what: title, state }];
}

export function owedBy(
  owner: string,
  rows: readonly Row[],
  matters: readonly Matter[],
  nowMs: number,
): OwedItem[] {
  const items = [
    ...rows.filter(({ fault }) => fault.owner === owner).flatMap((row) => ofFault(row, nowMs)),
    ...matters.filter((matter) => matter.owner === owner).flatMap((matter) => ofMatter(matter, nowMs)),
  ];
  const paused = ({ standing }: OwedItem) => Number(standing.urgency === 'paused');
  return items.sort((a, b) => paused(a) - paused(b) || a.standing.leftMs - b.standing.leftMs);
}

export interface CustomerRow extends Customer {
  faults: number;
  matters: number;
  isDeputy: boolean;
}

/** The customers that a person answers for or stands in for, those with most going on first. */
export function customersOf(
  owner: string,
  customers: readonly Customer[],
  rows: readonly Row[],
  matters: readonly Matter[],
): CustomerRow[] {
  return customers
    .filter(({ manager, deputy }) => manager === owner || deputy === owner)
    .map((customer) => ({
      ...customer,
      faults: rows.filter(({ fault }) => fault.customer === customer.code).length,
      matters: matters.filter((matter) => matter.customer === customer.code && isLive(matter)).length,
      isDeputy: customer.manager !== owner,
    }))
    .sort(
      (a, b) =>
        Number(a.isDeputy) - Number(b.isDeputy) ||
        b.faults - a.faults ||
        b.matters - a.matters ||
        (a.code < b.code ? -1 : 1),
    );
}
