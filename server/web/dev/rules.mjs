// Just enough of a fault's life for the page to have something to show. The real rules are the server's.

import { TIERS, due, iso } from './sample.mjs';

const HOUR = 3_600_000;

export function possible(f) {
  const ever = ['note', 'exempted'];
  const feedback = f.feedback ? ['feedback'] : [];
  const pause = f.restoration.state === 'paused' ? ['resumed'] : ['paused'];
  switch (f.state) {
    case 'open':
      return ['acknowledged', 'dispatched', 'arrived', 'restored', ...feedback, ...pause, ...ever];
    case 'acknowledged':
      return ['dispatched', 'arrived', 'restored', ...feedback, ...pause, ...ever];
    case 'dispatched':
      return ['arrived', 'restored', ...feedback, ...pause, ...ever];
    case 'restored':
      return ['arrived', 'repaired', ...feedback, 'reopened', ...ever];
    case 'repaired':
      return ['callback', 'reopened', ...ever];
    default:
      return [];
  }
}

export function applyStep(f, fact, now) {
  const at = Date.parse(fact.occurred_at);
  const tier = TIERS[f.tier];
  const step = {
    acknowledged: () => {
      f.state = 'acknowledged';
      f.feedback ??= due(at + tier.feedback, now, tier.feedback);
    },
    dispatched: () => void (f.state = 'dispatched'),
    arrived: () => void (f.state = f.state === 'restored' ? 'restored' : 'dispatched'),
    restored: () => {
      Object.assign(f, { state: 'restored', line_state: 'up', repair: due(at + 72 * HOUR, now, 72 * HOUR) });
      Object.assign(f.restoration, {
        state: f.restoration.state === 'missed' ? 'missed' : 'met',
        met_at: iso(at),
      });
      f.interruption.running = false;
      f.feedback = due(at + tier.feedback, now, tier.feedback);
    },
    repaired: () => {
      Object.assign(f.repair, { state: 'met', met_at: iso(at) });
      Object.assign(f, { state: 'repaired', feedback: null, callback: due(at + 24 * HOUR, now, 24 * HOUR) });
    },
    feedback: () => {
      if (fact.reached)
        f.feedback = f.state === 'restored' ? null : due(at + tier.feedback, now, tier.feedback);
    },
    callback: () => {
      if (!fact.reached) return;
      if (fact.result === 'satisfied') f.state = 'closed';
      else Object.assign(f, { state: 'restored', repair: due(now + 72 * HOUR, now, 72 * HOUR) });
    },
    reopened: () => {
      Object.assign(f, { state: 'dispatched', line_state: 'down', repair: null, callback: null });
      Object.assign(f.restoration, due(Date.parse(f.restoration.due_at), now, f.restoration.allowance_ms));
      f.interruption.running = true;
    },
    paused: () => void (f.restoration.state = 'paused'),
    resumed: () =>
      Object.assign(f.restoration, due(now + f.restoration.remaining_ms, now, f.restoration.allowance_ms)),
  }[fact.kind];
  step?.();
}

/** Brings the figures to the present; returns the marks that were passed since the last time. */
export function advance(f, sinceMs, now) {
  if (f.interruption.running) f.interruption.ms += now - sinceMs;
  const marks = [];
  for (const kind of ['restoration', 'feedback', 'repair', 'callback']) {
    const d = f[kind];
    if (!d || d.state === 'met' || d.state === 'paused' || d.state === 'cancelled' || d.met_at) continue;
    const before = d.remaining_ms;
    d.remaining_ms = Date.parse(d.due_at) - now;
    if (before >= 0 && d.remaining_ms < 0 && d.state === 'running') {
      d.state = 'missed';
      marks.push([kind, 'missed']);
    } else if (before > 0.2 * d.allowance_ms && d.remaining_ms <= 0.2 * d.allowance_ms) {
      marks.push([kind, 'warn_80']);
    }
  }
  return marks;
}

export function deadlines(f) {
  return ['restoration', 'feedback', 'repair', 'callback']
    .filter((kind) => f[kind])
    .map((kind) => {
      const { due_at, state, met_at, allowance_ms } = f[kind];
      const warnAt = [0.5, 0.8].map((share) => iso(Date.parse(due_at) - (1 - share) * allowance_ms));
      const missed = state === 'missed' ? due_at : null;
      const history = missed ? [{ verdict: 'missed', at: due_at, learnt_at: due_at }] : [];
      return { kind, period: 'first', due_at, state, met_at, missed_at: missed, warn_at: warnAt, history };
    });
}
