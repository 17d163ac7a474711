import { expect, it } from 'vitest';
import type { Row } from './rows';
import { nodes } from './nodes';

const row = (upstream: string | null, kinds: string[] = [], restored_at: string | null = null) =>
  ({ fault: { upstream, restored_at }, owed: kinds }) as unknown as Row;

it('finds nodes with several open faults', () => {
  const rows = [row('N2', ['feedback']), row('N1'), row('N1', ['feedback']), row('N1', ['restoration'])];
  const others = [row('N2', [], '2026-01-01T00:00:00Z'), row(null), row(null), row('')];
  expect(nodes([...rows, ...others])).toEqual([{ name: 'N1', faults: 3, owing: 1 }]);
});
