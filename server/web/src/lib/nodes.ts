// Nodes on which several open faults hang: perhaps one cause, and one word to all of their customers. Pure.

import type { Row } from './rows';

export interface Node {
  name: string;
  faults: number;
  /** How many of them owe feedback. */
  owing: number;
}

/** Nodes with two open faults or more, those with most first. */
export function nodes(rows: readonly Row[]): Node[] {
  const found = new Map<string, Node>();
  for (const { fault, owed } of rows) {
    if (!fault.upstream || fault.restored_at) continue;
    const node = found.get(fault.upstream) ?? { name: fault.upstream, faults: 0, owing: 0 };
    node.faults += 1;
    node.owing += Number(owed.includes('feedback'));
    found.set(fault.upstream, node);
  }
  return [...found.values()]
    .filter(({ faults }) => faults > 1)
    .sort((a, b) => b.faults - a.faults || (a.name < b.name ? -1 : 1));
}
