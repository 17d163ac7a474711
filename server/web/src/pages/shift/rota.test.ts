import { describe, expect, it } from 'vitest';
import { byDay, drafted, fill, namesOf, onDuty, posted, timesOf } from './rota';

const iso = (local: string) => new Date(local).toISOString();

describe('a rota', () => {
  it('is filled from a pattern, people taking turns', () => {
    const drafts = fill('2027-02', ['20:00', '08:00'], ['a', 'b', 'c']);
    expect(drafts).toHaveLength(56);
    expect(drafts[0]).toEqual({
      from: '2027-02-01T08:00',
      until: '2027-02-01T20:00',
      person: 'a',
      email: '',
    });
    expect(drafts[1]).toMatchObject({ from: '2027-02-01T20:00', until: '2027-02-02T08:00', person: 'b' });
    expect(drafts.at(-1)!.until).toBe('2027-03-01T08:00');
  });

  it('is posted when each shift has its times and its person', () => {
    const drafts = fill('2027-02', ['08:00'], ['a']);
    const shifts = posted(drafts)!;
    expect(shifts[0]!.from).toBe(iso('2027-02-01T08:00'));
    expect(drafted(shifts)).toEqual(drafts);
    expect(posted([{ ...drafts[0]!, person: ' ' }])).toBeNull();
    expect(posted([{ ...drafts[0]!, until: '' }])).toBeNull();
  });

  it('says who is on duty, and day by day', () => {
    const shifts = posted(fill('2027-02', ['08:00', '20:00'], ['a', 'b']))!;
    expect(onDuty(shifts, Date.parse(iso('2027-02-03T20:00'))).map((s) => s.person)).toEqual(['b']);
    expect(onDuty(shifts, Date.parse(iso('2027-02-01T07:00')))).toEqual([]);
    expect(byDay(shifts)).toHaveLength(28);
  });

  it('is typed as people type', () => {
    expect(timesOf('08:00, 20:00')).toEqual(['08:00', '20:00']);
    expect(timesOf('8 o’clock')).toBeNull();
    expect(timesOf('')).toBeNull();
    expect(namesOf('甲、乙, c')).toEqual(['甲', '乙', 'c']);
  });
});
