import { describe, expect, it } from 'vitest';
import { ApiError } from '../../lib/api';
import { byOf, draftOf, planRefusal, progressOf, standingOf, type Measure } from './plans';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const measure = (state: string, by: string, due_at: string | null = null): Measure => ({
  n: 1,
  what: 'invite',
  by,
  due_at,
  owner: 'manager-east',
  state,
  done_at: null,
  opens_at: null,
  matter: state === 'planned' ? null : 'm1',
});

describe('a plan', () => {
  const measures = [
    measure('closed', '2026-03-01T00:00:00Z'),
    measure('open', '2026-05-01T00:00:00Z'),
    measure('answered', '2026-05-01T00:00:00Z', '2026-07-01T00:00:00Z'),
    measure('cancelled', '2026-05-01T00:00:00Z'),
    measure('planned', '2026-09-01T00:00:00Z'),
  ];

  it('tells what is done from what is late, and counts no dropped measure', () => {
    expect(measures.map((one) => standingOf(one, NOW))).toEqual([
      'done',
      'late',
      'promised',
      'dropped',
      'planned',
    ]);
    expect(progressOf(measures, NOW)).toEqual({ done: 1, late: 1, all: 4 });
  });

  it('is written anew with the very moments that nobody changed', () => {
    const by = '2026-09-01T03:04:05Z';
    const draft = draftOf(measure('open', by));
    expect([draft.kept, byOf(draft)]).toEqual([true, by]);
    const later = byOf({ ...draft, day: '2026-09-02' })!;
    expect(new Date(later).getHours()).toBe(23);
    expect(byOf({ ...draft, day: '' })).toBeNull();
  });
});

describe('planRefusal', () => {
  const refused = (detail: string) => new ApiError(409, 'step_impossible', detail, []);

  it('has words of its own, and else those of every refusal', () => {
    expect(planRefusal(refused('noc has written the plan: somebody else approves it'), 'zh')).toBe(
      '计划由您编制，须由他人批准。',
    );
    expect(planRefusal(refused('"a "b"" is due at a time that has passed'), 'en')).toBe(
      '“a "b"”: its day has passed.',
    );
    expect(planRefusal(refused('something new'), 'zh')).toBe('当前状态下不能这样做。\nsomething new');
  });
});
