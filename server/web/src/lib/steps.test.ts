import { describe, expect, it } from 'vitest';
import { causesOf, missingField, nextStep, offered, stepBody, visibleFields } from './steps';

describe('steps', () => {
  it('offers what is possible, along the life of a fault', () => {
    expect(offered(['note', 'restored', 'feedback', 'merged'])).toEqual(['feedback', 'restored', 'note']);
    expect(nextStep(['note', 'feedback', 'restored', 'dispatched'])).toBe('dispatched');
    expect(nextStep(['note'])).toBeNull();
    expect(nextStep(['acknowledged', 'restored'], true)).toBe('restored');
    expect(nextStep(['callback'], true)).toBe('callback');
  });

  it('asks for the result of a callback only once the customer was reached', () => {
    expect(visibleFields('callback', { reached: 'no' }).map((f) => f.name)).toEqual(['reached', 'note']);
    expect(missingField('callback', { reached: 'yes' })?.name).toBe('result');
    expect(missingField('callback', { reached: 'no' })).toBeNull();
    expect(missingField('reopened', { reason: '  ' })?.name).toBe('case');
    expect(missingField('reopened', { case: 'failed_again', reason: '  ' })?.name).toBe('reason');
    expect(missingField('exempted', { cause: 'x' })).toBeNull();
  });

  it('asks how the service is only where the customer is not satisfied, and was reached', () => {
    const unsatisfied = { reached: 'yes', result: 'unsatisfied', service: 'down' };
    expect(stepBody('callback', unsatisfied, null)).toEqual({
      kind: 'callback',
      reached: true,
      result: 'unsatisfied',
      service: 'down',
    });
    expect(stepBody('callback', { ...unsatisfied, result: 'satisfied' }, null)).not.toHaveProperty('service');
    expect(stepBody('callback', { ...unsatisfied, reached: 'no' }, null)).toEqual({
      kind: 'callback',
      reached: false,
    });
  });

  it("takes the causes from the fault's own pack", () => {
    const cause = (name: string) => ({ name, label: { zh: name, en: name } });
    const packs = [
      { name: 'a', version: '1', pause_causes: [cause('x')], exempt_causes: [] },
      { name: 'a-b', version: '2', pause_causes: [cause('y')], exempt_causes: [cause('z')] },
    ];
    const names = (...args: [string, 'paused' | 'exempted']) =>
      causesOf(packs, ...args)?.map((c) => c.name) ?? null;
    expect(names('a-b 2', 'paused')).toEqual(['y']);
    expect(names('a-b 2', 'exempted')).toEqual(['z']);
    expect(names('a 0.9', 'paused')).toEqual(['x']);
    expect(names('a 1', 'exempted')).toBeNull();
    expect(names('c 1', 'paused')).toBeNull();
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
