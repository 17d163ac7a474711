// Which page of rows the wall shows. A function of the time alone: nothing is kept, nothing drifts.

/** How many rows fit the wall. */
export const ROWS = 8;
/** How long a page stands. */
export const TURN_MS = 12_000;

/** What slips first is seen every second turn: pages go 0, 1, 0, 2, 0, 3 … */
export function pageAt(ms: number, pages: number): number {
  if (pages <= 1) return 0;
  const turn = Math.floor(ms / TURN_MS) % (2 * (pages - 1));
  return turn % 2 === 0 ? 0 : (turn + 1) / 2;
}

export function pagesOf(rows: number): number {
  return Math.max(1, Math.ceil(rows / ROWS));
}
