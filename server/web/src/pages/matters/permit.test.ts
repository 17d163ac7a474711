import { describe, expect, it } from 'vitest';
import type { Matter, MatterPack, PermitRule } from '../../lib/matter';
import { permitBody, permitOf, wanting, type PermitValues } from './permit';

const rule = {
  name: 'electrical',
  briefing: true,
  work_ticket: true,
  certificates: ['electrician'],
} as PermitRule;
const values: PermitValues = {
  to: ' crew 1 ',
  work: 'sample test',
  from: '2026-03-01T08:00',
  until: '2026-03-01T18:00',
  ticket: 'T-1',
  briefing: true,
  certificates: { electrician: { number: 'E-1', validUntil: '2026-12-31' } },
};

describe('a permit', () => {
  it('is the one that the class or the cadence takes', () => {
    const pack = {
      permits: [rule],
      classes: [{ matter: 'defect', name: 'major', permit: 'electrical' }],
      cadences: [
        { matter: 'patrol', name: 'test', permit: 'electrical' },
        { matter: 'patrol', name: 'weekly' },
      ],
    } as unknown as MatterPack;
    const of = (kind: string, name: string) => permitOf(pack, { kind, class: name } as Matter)?.name;
    expect([of('defect', 'major'), of('patrol', 'test'), of('patrol', 'weekly')]).toEqual([
      'electrical',
      'electrical',
      undefined,
    ]);
  });

  it('says what is wanting, one thing at a time', () => {
    expect(wanting(values, rule)).toBeNull();
    expect(wanting({ ...values, to: ' ' }, rule)).toEqual({ field: 'to' });
    expect(wanting({ ...values, briefing: false }, rule)).toEqual({ field: 'briefing' });
    expect(wanting({ ...values, ticket: '' }, rule)).toEqual({ field: 'ticket' });
    expect(wanting({ ...values, certificates: {} }, rule)).toEqual({
      field: 'certificate',
      of: 'electrician',
    });
    expect(wanting({ ...values, briefing: false, ticket: '', certificates: {} }, null)).toBeNull();
  });

  it('is posted without what was left empty; a paper is valid through its last day', () => {
    const body = permitBody({ ...values, ticket: '' }) as Record<string, unknown>;
    expect(body).not.toHaveProperty('ticket');
    expect(body.to).toBe('crew 1');
    const [paper] = body.certificates as { valid_until: string }[];
    expect(Date.parse(paper!.valid_until)).toBe(new Date('2026-12-31T23:59:59').getTime());
    expect(permitBody({ ...values, certificates: { x: { number: '1', validUntil: '' } } })).toMatchObject({
      certificates: [],
    });
  });
});
