import { describe, expect, it } from 'vitest';
import { evidenceOf, figures, says } from './facts';
import type { Evidence, Fact } from './types';

function fact(kind: string, fields: Record<string, unknown> = {}): Fact {
  const at = '2026-03-01T08:00:00Z';
  const times = { occurred_at: at, recorded_at: at, late: false, corrected_ms: 0, uncertain: false };
  return { id: 'f', kind, ...times, by: 'noc', misfit: null, ...fields };
}

const SEEN: Evidence = {
  degraded: false,
  sent: 24,
  lost: 9,
  recent: '...xxx',
  longest_run: 9,
  longest_run_ms: 8200,
  last_rtt_us: 4180,
  confirmations: [
    { by: 'gateway', heard: 'answer' },
    { by: 'outside', heard: 'pending' },
    { by: 'siblings', heard: 'silent' },
  ],
};

describe('a fact', () => {
  it("says probes' evidence in short figures, without what is not known", () => {
    const down = fact('down', { agent: 'edge-1', by: 'agent edge-1', evidence: SEEN });
    expect(says(down, 'en')).toEqual([]);
    expect(figures(evidenceOf(down)!, 'en')).toEqual([
      '9 of 24 probes lost',
      'at most 9 in a row (8 s)',
      'round trip 4.2 ms',
      'gateway answers',
      'other lines silent too',
    ]);
    expect(figures({ cause: 'own_uplink', sent: 0, lost: 0 }, 'zh')).toEqual(['探针自身断网']);
    expect(figures({}, 'en')).toEqual([]);
  });

  it('names a cause as the pack does, and keeps the text that shows it', () => {
    const causes = [{ name: 'customer_hold', label: { zh: '客户要求暂缓', en: 'Customer asks to hold' } }];
    const paused = fact('paused', { cause: 'customer_hold', evidence: 'mail of 08:00', grantor: 'noc' });
    expect(evidenceOf(paused)).toBeNull();
    expect(says(paused, 'zh', causes).map((s) => s.text)).toEqual(['客户要求暂缓', 'mail of 08:00', 'noc']);
    expect(says(paused, 'en')[0]?.text).toBe('customer hold');
  });

  it('says what the customer said', () => {
    const reported = fact('reported', { channel: 'hotline', description: 'no traffic', reporter: 'desk' });
    expect(says(reported, 'en').map((s) => s.text)).toEqual(['Hotline', 'desk', 'no traffic']);
    const callback = fact('callback', { reached: true, result: 'unsatisfied', service: 'down' });
    expect(says(callback, 'en').map((s) => s.text)).toEqual(['Reached', 'Not satisfied', 'Still down']);
  });
});
