// Alerts as the API tells them: who was told of what, who is told next, and who has taken it. Pure.

/** A message of an alert. */
export interface Told {
  at: string;
  /** For whom, or over which channel; left out for a technician. */
  to: string | null;
  /** `email`, `webhook`, `wecom_robot`, … */
  by: string;
  /** At which step of the ladder; 0 for the alert itself. */
  rung: number;
  /** `held`: quiet hours keep it back. */
  state: 'pending' | 'done' | 'dead' | 'held';
  until?: string;
}

export interface Alert {
  key: string;
  kind: string;
  mark: string;
  at: string;
  due_at: string;
  /** How many steps of its ladder were climbed, of how many. */
  rung: number;
  steps: number;
  next_at: string | null;
  /** `duty`, `supervisor`, …: who is told then. */
  next_to: string[];
  /** Why nobody has to take it any more. */
  ended: string | null;
  acknowledged: { by: string | null; at: string; how: string } | null;
  told: Told[];
}

/** An alert that nobody has taken, with what it is about. */
export interface OpenAlert extends Alert {
  fault: string | null;
  matter: string | null;
  customer: string;
  line: string | null;
  title: string | null;
}

/**
 * `unheard`: its ladder was climbed to the top, and nobody has taken it. `told`: it has no ladder, and asks nobody to
 * take it.
 */
export type Standing = 'taken' | 'over' | 'unheard' | 'climbing' | 'told';

export function standingOf({ acknowledged, ended, next_at, steps }: Alert): Standing {
  if (acknowledged) return 'taken';
  if (ended) return 'over';
  if (next_at) return 'climbing';
  return steps > 0 ? 'unheard' : 'told';
}

/** Whether somebody still has to take it. */
export const isOpen = (alert: Alert): boolean => ['climbing', 'unheard'].includes(standingOf(alert));

/** The newest first; those that somebody has to take before all others, and of the others only so many. */
export function inSight<T extends Alert>(alerts: readonly T[], others: number): T[] {
  const newest = [...alerts].reverse();
  const open = newest.filter(isOpen);
  return [...open, ...newest.filter((alert) => !isOpen(alert)).slice(0, others)];
}
