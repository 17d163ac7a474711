import { describe, expect, it } from 'vitest';
import type { Work } from './types';
import { stageOf, workBody } from './works';

const work = { from: '2026-03-01T08:00:00Z', to: '2026-03-01T10:00:00Z', cancelled_at: null } as Work;

describe('planned work', () => {
  it('is to come, under way, over or called off', () => {
    const at = (time: string) => stageOf(work, Date.parse(time));
    expect([at('2026-03-01T07:59:00Z'), at('2026-03-01T08:00:00Z'), at('2026-03-01T10:00:00Z')]).toEqual([
      'coming',
      'running',
      'over',
    ]);
    expect(stageOf({ ...work, cancelled_at: '2026-03-01T00:00:00Z' }, 0)).toBe('cancelled');
  });

  it('names lines or a node, and its times', () => {
    const values = {
      reason: 'new cable',
      lines: 'L1, L2',
      upstream: '',
      from: '2026-03-02T01:00',
      to: '2026-03-02T03:00',
      appliedAt: '',
    };
    expect(workBody(values)).toMatchObject({ body: { reason: 'new cable', lines: ['L1', 'L2'] } });
    expect(workBody({ ...values, lines: '', upstream: 'node' })).toMatchObject({
      body: { upstream: 'node' },
    });
    expect(workBody({ ...values, upstream: 'node' })).toEqual({ missing: 'either' });
    expect(workBody({ ...values, lines: '' })).toEqual({ missing: 'either' });
    expect(workBody({ ...values, to: '' })).toEqual({ missing: 'to' });
    expect(workBody({ ...values, reason: ' ' })).toEqual({ missing: 'reason' });
  });
});
