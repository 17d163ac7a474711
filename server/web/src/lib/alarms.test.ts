import { describe, expect, it } from 'vitest';
import { alarm, standing } from './alarms';
import type { Row } from './rows';
import type { Urgency } from './deadline';

const row = (id: string, urgency: Urgency, aliases: string[] = []) =>
  ({ fault: { id, aliases }, urgency, owed: [] }) as unknown as Row;

describe('an alarm', () => {
  const before = standing([row('a', 'calm'), row('b', 'slipping'), row('c', 'missed')]);
  it.each([
    ['nothing changed', [row('a', 'calm'), row('b', 'slipping'), row('c', 'missed')], null],
    ['something got better', [row('b', 'calm'), row('c', 'slipping')], null],
    ['a fault is new', [row('a', 'calm'), row('d', 'calm')], 'new'],
    ['one is about to slip', [row('a', 'slipping')], 'slipping'],
    ['one was missed', [row('a', 'slipping'), row('b', 'missed'), row('d', 'calm')], 'missed'],
    ['a fault got another id', [row('z', 'calm', ['a'])], null],
  ] as const)('%s', (_, rows, expected) => expect(alarm(before, rows)).toBe(expected));
});
