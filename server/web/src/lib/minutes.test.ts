import { describe, expect, it } from 'vitest';
import { aroundFault, bursts, columns, fitted, MINUTE_MS, sum, SPAN_MAX_MS, type Minute } from './minutes';

const START = Date.parse('2026-03-01T08:00:00Z');
const minute = (n: number, over: Partial<Minute> = {}): Minute => ({
  at: new Date(START + n * MINUTE_MS).toISOString(),
  sent: 60,
  lost: 0,
  late: 0,
  not_sent: 0,
  longest_run: 0,
  rtt_min_us: 1000,
  rtt_avg_us: 2000,
  rtt_max_us: 9000,
  jitter_us: 100,
  ...over,
});
const dead = { lost: 60, longest_run: 60, rtt_min_us: null, rtt_avg_us: null, rtt_max_us: null };

describe('minutes of a line', () => {
  it('leaves a gap where nothing is known', () => {
    const span = { fromMs: START, toMs: START + 4 * MINUTE_MS };
    const at = columns([minute(0), minute(1, { ...dead }), minute(3, { sent: 0 })], span);
    expect(at.x).toEqual([0, 1, 2, 3].map((n) => START / 1000 + n * 60));
    expect(at.avg).toEqual([2, null, null, 2]);
    expect(at.loss).toEqual([0, 100, null, null]);
    expect(at.minute[2]).toBeNull();
  });

  it('sums what lies within the span, the mean by answers', () => {
    const all = [minute(0), minute(1, { lost: 30, longest_run: 12, rtt_avg_us: 5000 }), minute(9)];
    const span = { fromMs: START, toMs: START + 2 * MINUTE_MS };
    expect(sum(all, span)).toEqual({
      minutes: 2,
      sent: 120,
      lost: 30,
      longestRun: 12,
      longestRunAt: all[1]!.at,
      minUs: 1000,
      avgUs: 3000,
      maxUs: 9000,
    });
    expect(sum([], span)).toMatchObject({ minutes: 0, minUs: null, avgUs: null });
  });

  it('takes losses in a row for one burst', () => {
    const all = [minute(0), minute(1, { lost: 2 }), minute(2, dead), minute(3), minute(5, { lost: 1 })];
    expect(
      bursts(all).map((b) => [(b.fromMs - START) / MINUTE_MS, (b.toMs - b.fromMs) / MINUTE_MS, b.lost]),
    ).toEqual([
      [1, 2, 62],
      [5, 1, 1],
    ]);
  });

  it('asks for no more than the API gives, and for nothing beyond now', () => {
    const now = START + 10 * MINUTE_MS;
    expect(fitted({ fromMs: START, toMs: START + 60 * MINUTE_MS }, now)).toEqual({
      fromMs: now - 60 * MINUTE_MS,
      toMs: now,
    });
    const long = fitted({ fromMs: START - 3 * SPAN_MAX_MS, toMs: now }, now);
    expect(long).toEqual({ fromMs: START - 3 * SPAN_MAX_MS, toMs: START - 2 * SPAN_MAX_MS });
    expect(aroundFault(START, START + 60 * MINUTE_MS, START + SPAN_MAX_MS)).toEqual({
      fromMs: START - 30 * MINUTE_MS,
      toMs: START + 90 * MINUTE_MS,
    });
    expect(aroundFault(START, null, now)).toEqual({ fromMs: START - 30 * MINUTE_MS, toMs: now });
  });
});
