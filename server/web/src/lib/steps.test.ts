import { describe, expect, it } from 'vitest';
import { missingField, nextStep, offered, stepBody, visibleFields } from './steps';

describe('steps', () => {
  it('offers what is possible, along the life of a fault', () => {
    expect(offered(['note', 'restored', 'feedback', 'merged'])).toEqual(['feedback', 'restored', 'note']);
    expect(nextStep(['note', 'feedback', 'restored', 'dispatched'])).toBe('dispatched');
    expect(nextStep(['note'])).toBeNull();
  });

  it('asks for the result of a callback only once the customer was reached', () => {
    expect(visibleFields('callback', { reached: 'no' }).map((f) => f.name)).toEqual(['reached']);
    expect(missingField('callback', { reached: 'yes' })?.name).toBe('result');
    expect(missingField('callback', { reached: 'no' })).toBeNull();
    expect(missingField('reopened', { reason: '  ' })?.name).toBe('reason');
    expect(missingField('exempted', { cause: 'x' })).toBeNull();
  });

  it('builds the body that the API expects', () => {
    expect(stepBody('acknowledged', {}, null)).toEqual({ kind: 'acknowledged' });
    expect(stepBody('feedback', { reached: 'no' }, null)).toEqual({ kind: 'feedback', reached: false });
    expect(stepBody('callback', { reached: 'no', result: 'satisfied' }, null)).toEqual({
      kind: 'callback',
      reached: false,
    });
    expect(stepBody('callback', { reached: 'yes', result: 'satisfied' }, '2026-03-01T08:00:00.000Z')).toEqual(
      {
        kind: 'callback',
        occurred_at: '2026-03-01T08:00:00.000Z',
        reached: true,
        result: 'satisfied',
      },
    );
  });
});
