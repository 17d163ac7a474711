// Figures in the words of every benchmark here: median, range, the goal and whether it is met; and the rows of the page that
// `make bench` writes, as tests/src/bench.rs has them.

import { appendFileSync } from 'node:fs';

/** Where rows are collected while `make bench` runs. */
const ROWS = process.env.LINEWATCH_BENCH_ROWS;

/** The value below which so much of the sorted list is. */
export function quantile(values, share) {
  if (!values.length) return NaN;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

/** `median 12, 95 % within 20, most 31 ms of 40`, and how that stands to the goal for the most of them. */
export function figures(values, unit, goal) {
  const text = `median ${round(quantile(values, 0.5))}, 95 % within ${round(quantile(values, 0.95))}, most ${round(Math.max(...values))} ${unit} of ${values.length}`;
  return goal === undefined ? text : `${text} (${verdict(quantile(values, 0.95), goal, unit)})`;
}

export function verdict(value, goal, unit) {
  return `goal ${goal} ${unit}: ${value <= goal ? 'met' : 'NOT MET'}, ${(value / goal).toFixed(2)} of it`;
}

/** Something that has to be at most `goal`: said, and kept for the page. */
export function row(path, value, goal, unit) {
  say(`${path}: ${round(value)} ${unit} (${verdict(value, goal, unit)})`);
  const kept = {
    path,
    ours: `${round(value)} ${unit}`,
    peer: '',
    goal: `at most ${goal} ${unit}`,
    of_goal: value / goal,
  };
  if (ROWS) appendFileSync(ROWS, `${JSON.stringify(kept)}\n`);
}

export const round = (n) => (n >= 100 ? Math.round(n) : Math.round(n * 10) / 10);

export const say = (text) => process.stdout.write(`${text}\n`);
