// What the browser says of a page: when it painted, how busy it is, what it keeps in memory.

/** Runs in the page, before its own scripts: when the first paint was, and when the first rows were painted. */
export function watchPaint() {
  const painted = (globalThis.painted = { first: 0, rows: 0 });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      if (entry.name === 'first-contentful-paint') painted.first = entry.startTime;
  }).observe({ type: 'paint', buffered: true });
  const look = () => {
    if (!document.querySelector('tr[data-fault]')) return void requestAnimationFrame(look);
    // The frame that is being made now has them; the next one begins when it was painted.
    requestAnimationFrame(() => (painted.rows = performance.now()));
  };
  look();
}

/** Runs in the page: keeps how long tasks of the main thread took. */
function watchTasks() {
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.longTasks.push(entry.duration);
  }).observe({ type: 'longtask' });
}

export class Meter {
  #page;
  #tools;

  static async of(page) {
    const meter = new Meter();
    meter.#page = page;
    meter.#tools = await page.context().newCDPSession(page);
    // Processor time, not time on the clock: what else runs on the machine does not count as the page's work.
    await meter.#tools.send('Performance.enable', { timeDomain: 'threadTicks' });
    await page.evaluate(watchTasks);
    return meter;
  }

  async #metrics() {
    const { metrics } = await this.#tools.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  }

  /** Milliseconds of processor time that the page's main thread has used. */
  async worked() {
    return (await this.#metrics()).TaskDuration * 1000;
  }

  /** Where `busySince` counts from. */
  async mark() {
    await this.#page.evaluate(() => (globalThis.longTasks.length = 0));
    return { worked: await this.worked(), at: performance.now() };
  }

  async busySince(mark) {
    const share = ((await this.worked()) - mark.worked) / (performance.now() - mark.at);
    return { share, longTasks: await this.#page.evaluate(() => globalThis.longTasks) };
  }

  /** What is left after everything that may go is gone. */
  async heap() {
    await this.#tools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await this.#tools.send('Runtime.getHeapUsage');
    const { Nodes, JSEventListeners } = await this.#metrics();
    return { bytes: usedSize, nodes: Nodes, listeners: JSEventListeners };
  }
}
