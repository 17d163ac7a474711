// How the board fares with 5,000 open faults and 200 changes a second, in a real Chromium before a real server:
// first paint, how long an interaction takes to be seen, what memory does.
//
// LINEWATCH_BENCH_MINUTES  how long the changes go on (default 1; the goal is for 60)
// LINEWATCH_BENCH_FAULTS, LINEWATCH_BENCH_CHANGES  another size

import { loadavg } from 'node:os';
import { Calls, change, openFaults, tables } from './bench/changes.mjs';
import { watchPaint, Meter } from './bench/meter.mjs';
import { Hand } from './bench/hand.mjs';
import { figures, quantile, round, row, say } from './bench/stats.mjs';
import { launch, openBoard } from './lib/browser.mjs';
import { PASSWORD, USER, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const number = (name, usual) => Number(process.env[`LINEWATCH_BENCH_${name}`] ?? usual);
const FAULTS = number('FAULTS', 5_000);
const PER_SECOND = number('CHANGES', 200);
const MINUTES = number('MINUTES', 1);
const PAINT_GOAL_MS = 1_000;
const SEEN_GOAL_MS = 100;
/** Memory counts as flat when it grew by no more over the whole time, once the page had settled. */
const GROWTH_GOAL_MIB = 5;
const LOADS = 5;
const SETTLE_MS = 20_000;
const HEAP_LOOKS = 12;

let server;
let browser;
try {
  server = await startServer(tables(FAULTS));
  const calls = new Calls(server);
  const began = performance.now();
  const faults = await openFaults(calls, FAULTS);
  say(`${faults.length} faults reported in ${round((performance.now() - began) / 1000)} s`);
  browser = await launch();
  const page = await openBoard(browser, server.url, { user: USER, password: PASSWORD });
  await page.locator('tr[data-fault]').first().waitFor();
  await paint(page);
  await use(page, calls, faults);
  if (page.problems.length) throw new Error(page.problems.slice(0, 3).join('; '));
  calls.close();
} catch (error) {
  say(`bench_board: ${error.message}\n${server?.log.slice(-2_000) ?? ''}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  await server?.stop();
}

/** Loads the page again and again. */
async function paint(page) {
  const times = { first: [], rows: [] };
  await page.addInitScript(watchPaint);
  for (let n = 0; n < LOADS; n += 1) {
    await page.reload();
    const seen = await until(
      () => page.evaluate(() => globalThis.painted?.rows && globalThis.painted),
      'rows',
    );
    times.first.push(seen.first);
    times.rows.push(seen.rows);
  }
  for (const [what, of] of [
    ['first paint', times.first],
    [`first rows of ${FAULTS} painted`, times.rows],
  ]) {
    say(`  ${what}: ${figures(of, 'ms')}`);
    row(`board in a browser, ${what}, median`, quantile(of, 0.5), PAINT_GOAL_MS, 'ms');
  }
}

async function use(page, calls, faults) {
  const meter = await Meter.of(page);
  const hand = new Hand(page, meter);
  const changes = change(calls, faults, PER_SECOND);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  await hand.round();
  await hand.rest();
  hand.times.clear();
  const [mark, heaps] = [await meter.mark(), [await meter.heap()]];
  const [began, endsIn] = [performance.now(), MINUTES * 60_000];
  let lookAt = endsIn / HEAP_LOOKS;
  while (performance.now() - began < endsIn) {
    await hand.round();
    if (performance.now() - began < lookAt) continue;
    await hand.rest();
    heaps.push(await meter.heap());
    lookAt += endsIn / HEAP_LOOKS;
  }
  const busy = await meter.busySince(mark);
  changes.stop();
  const { sums } = changes;
  say(
    `${MINUTES} min of changes: ${round(changes.perSecond())} a second done of ${PER_SECOND}, ${sums.left} left out, ${sums.failures.length ? `failed: ${sums.failures.join('; ')}` : 'none failed'}; answered: ${figures(sums.tookMs, 'ms')}`,
  );
  for (const [what, times] of hand.times) {
    const of = (name) => times.map((time) => time[name]);
    say(`  ${what}: seen after ${figures(of('seen'), 'ms')}; processor: ${figures(of('worked'), 'ms')}`);
  }
  const seen = [...hand.times.values()].flat().map((time) => time.seen);
  row(
    `board with ${FAULTS} faults and ${PER_SECOND} changes a second, from a key to the next frame, p95`,
    quantile(seen, 0.95),
    SEEN_GOAL_MS,
    'ms',
  );
  say(
    `main thread: ${round(busy.share * 100)} % of a core; tasks above 50 ms: ${busy.longTasks.length}, longest ${round(Math.max(0, ...busy.longTasks))} ms`,
  );
  tellHeap(heaps);
  say(`load average of the machine: ${loadavg().map(round).join(' ')}`);
}

/** Growth by the straight line through all looks, so that one look decides nothing. */
function tellHeap(heaps) {
  const mib = heaps.map(({ bytes }) => bytes / 2 ** 20);
  const middle = (heaps.length - 1) / 2;
  const mean = mib.reduce((sum, it) => sum + it, 0) / mib.length;
  const slope =
    mib.reduce((sum, it, n) => sum + (n - middle) * (it - mean), 0) /
    mib.reduce((sum, _, n) => sum + (n - middle) ** 2, 0);
  const growth = slope * (heaps.length - 1);
  say(
    `heap after collection: ${round(mib[0])} MiB at the start, ${round(mib.at(-1))} MiB at the end, ${round(Math.min(...mib))} to ${round(Math.max(...mib))} MiB; nodes ${heaps[0].nodes} to ${heaps.at(-1).nodes}, listeners ${heaps[0].listeners} to ${heaps.at(-1).listeners}`,
  );
  row(`board in a browser, growth of memory in ${MINUTES} min`, Math.max(0, growth), GROWTH_GOAL_MIB, 'MiB');
}
