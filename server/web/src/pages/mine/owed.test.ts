import { describe, expect, it } from 'vitest';
import type { Row } from '../../lib/rows';
import type { Matter } from '../../lib/matter';
import { customersOf, owedBy } from './owed';
import type { Customer } from './types';

const NOW = Date.parse('2026-03-01T08:00:00Z');
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();

const row = (id: string, owner: string, minutes: number | null, customer = 'C1'): Row =>
  ({
    fault: {
      ...{ id, owner, customer, line: `line ${id}`, state: 'open' },
      feedback: minutes === null ? null : { state: 'running', due_at: at(minutes) },
    },
    entry: { marks: {} },
    owed: minutes === null ? [] : ['feedback'],
  }) as unknown as Row;

const matter = (id: string, owner: string, minutes: number, state = 'open'): Matter =>
  ({
    id,
    owner,
    customer: 'C1',
    title: `matter ${id}`,
    state,
    deadlines: [
      {
        kind: 'answer',
        period: '',
        started_at: at(-60),
        due_at: at(minutes),
        state: 'running',
        met_at: null,
        remaining_ms: null,
      },
    ],
  }) as unknown as Matter;

const customer = (code: string, manager: string, deputy: string | null = null): Customer => ({
  code,
  name: code,
  tier: 'A',
  region: null,
  manager,
  deputy,
  lines: 1,
});

describe('what a manager owes', () => {
  it('is one list, what slips first on top', () => {
    const rows = [row('a', 'me', 30), row('b', 'other', 1), row('c', 'me', null)];
    const items = owedBy('me', rows, [matter('m', 'me', 10), matter('n', 'me', 5, 'closed')], NOW);
    expect(items.map(({ id, isFault, kind }) => [id, isFault, kind])).toEqual([
      ['m', false, 'answer'],
      ['a', true, 'feedback'],
    ]);
    expect(items[0]?.standing.urgency).toBe('slipping');
  });

  it('is for customers of whom those with faults come first', () => {
    const customers = [
      customer('C2', 'me'),
      customer('C1', 'me'),
      customer('C3', 'x', 'me'),
      customer('C4', 'x'),
    ];
    const found = customersOf('me', customers, [row('a', 'me', 1)], [matter('m', 'me', 1)]);
    expect(found.map(({ code, faults, matters, isDeputy }) => [code, faults, matters, isDeputy])).toEqual([
      ['C1', 1, 1, false],
      ['C2', 0, 0, false],
      ['C3', 0, 0, true],
    ]);
  });
});
