// Planned work: how it stands, and the body that writes it down. Pure.

import { fromLocalInput } from '../../lib/format';
import type { Work } from './types';

export type WorkStage = 'coming' | 'running' | 'over' | 'cancelled';

export function stageOf(work: Work, nowMs: number): WorkStage {
  if (work.cancelled_at) return 'cancelled';
  if (nowMs < Date.parse(work.from)) return 'coming';
  return nowMs < Date.parse(work.to) ? 'running' : 'over';
}

export interface WorkValues {
  reason: string;
  lines: string;
  upstream: string;
  /** Values of fields: local times. */
  from: string;
  to: string;
  appliedAt: string;
}

export type WorkField = 'reason' | 'from' | 'to' | 'either';

/** The body to post, or the field that is missing; `either`: lines or a node, and not both. */
export function workBody(values: WorkValues): { body: object } | { missing: WorkField } {
  const lines = values.lines.split(/[\s,，、]+/).filter(Boolean);
  const upstream = values.upstream.trim();
  const [from, to] = [fromLocalInput(values.from), fromLocalInput(values.to)];
  if (!values.reason.trim()) return { missing: 'reason' };
  if (lines.length > 0 === (upstream !== '')) return { missing: 'either' };
  if (!from || !to) return { missing: from ? 'to' : 'from' };
  const applied_at = fromLocalInput(values.appliedAt) ?? undefined;
  const where = upstream ? { upstream } : { lines };
  return { body: { reason: values.reason.trim(), ...where, from, to, applied_at } };
}
