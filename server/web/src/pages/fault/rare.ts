// Decisions that are taken now and then: which of them are open to whom, and what is sent for each. Pure.

import type { Session } from '../../lib/types';
import { isLive, openings } from './story';
import type { FullFault } from './types';

export const RARE = ['merged', 'split', 'closed_unconfirmed', 'rerated'] as const;
export type RareKind = (typeof RARE)[number];

export interface RareValues {
  into: string;
  reports: string[];
  reason: string;
  note: string;
  tier: string;
  /** Whether the rules now in force are to be taken. */
  renew: boolean;
}

export const EMPTY: RareValues = { into: '', reports: [], reason: '', note: '', tier: '', renew: false };

/** What may be decided now. Closing without the customer's word and re-rating are a supervisor's. */
export function rareSteps(fault: FullFault, role: Session['role'] | undefined): RareKind[] {
  const isSupervisor = role === 'admin';
  return RARE.filter((kind) => {
    if (kind === 'rerated') return isSupervisor && isLive(fault.state);
    if (kind === 'closed_unconfirmed' && !isSupervisor) return false;
    if (kind === 'split' && openings(fault).length < 2) return false;
    return fault.possible.includes(kind);
  });
}

export type Missing = 'into' | 'reports' | 'reason' | 'oneStays' | 'nothingChanged';

/** What is wanting before it can be sent. */
export function missing(kind: RareKind, values: RareValues, fault: FullFault): Missing | null {
  if (kind === 'merged') return values.into ? null : 'into';
  if (kind === 'split') {
    if (!values.reports.length) return 'reports';
    return values.reports.length < openings(fault).length ? null : 'oneStays';
  }
  if (kind === 'rerated' && !values.tier && !values.renew) return 'nothingChanged';
  return values.reason.trim() ? null : 'reason';
}

/** Where and what to post. `version` is the version of its pack that is in force. */
export function posting(kind: RareKind, values: RareValues, fault: FullFault, version: string | null) {
  const path = `/faults/${encodeURIComponent(fault.id)}`;
  const note = values.note.trim() ? { note: values.note.trim() } : {};
  const reason = values.reason.trim();
  switch (kind) {
    case 'merged':
      return { path: `${path}/facts`, body: { kind, into: values.into, ...note } };
    case 'split':
      return { path: `${path}/facts`, body: { kind, reports: values.reports, ...note } };
    case 'closed_unconfirmed':
      return { path: `${path}/facts`, body: { kind, reason } };
    case 'rerated': {
      const tier = values.tier ? { tier: values.tier } : {};
      const pack = values.renew && version ? { pack_version: version } : {};
      return { path: `${path}/re-rate`, body: { ...tier, ...pack, reason } };
    }
  }
}
