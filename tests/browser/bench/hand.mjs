// A person at the board: does one thing after the other, and notes how long each took to be seen.
//
// Measured by the browser itself (Event Timing): from the moment at which the key or the mouse was pressed to the next
// frame that was painted after all of the page's work on it. It counts in steps of 8 ms, and says nothing below 16.

const QUIET_MS = 16;

/** Runs in the page: keeps the duration of every event until it is asked for. */
function watchEvents() {
  globalThis.eventTimes = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.eventTimes.push(duration);
  }).observe({ type: 'event', durationThreshold: 16 });
}

/** Runs in the page: the slowest event since the last asking, once whatever is to be painted was painted. */
function slowest() {
  return new Promise((resolve) => {
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        // Entries come in a task of their own after the frame.
        setTimeout(() => resolve(Math.max(0, ...globalThis.eventTimes.splice(0))), 20),
      ),
    );
  });
}

export class Hand {
  /** What was done, with the times in milliseconds: until it was seen, and of the processor's. */
  times = new Map();
  #page;
  #meter;
  #watched = false;
  #n = 0;

  constructor(page, meter) {
    this.#page = page;
    this.#meter = meter;
  }

  async #time(what, act) {
    if (!this.#watched) await this.#page.evaluate(watchEvents);
    this.#watched = true;
    await this.#page.evaluate(slowest);
    const before = await this.#meter.worked();
    await act();
    const seen = Math.max(QUIET_MS, await this.#page.evaluate(slowest));
    const worked = (await this.#meter.worked()) - before;
    this.times.set(what, [...(this.times.get(what) ?? []), { seen, worked }]);
  }

  /** Back to where each round begins: what is drawn is then always the same. */
  async rest() {
    await this.#page.locator('main').evaluate((it) => (it.scrollTop = 0));
    await this.#page.evaluate(slowest);
  }

  /** Each of the things once. */
  async round() {
    const [page, mouse, keys] = [this.#page, this.#page.mouse, this.#page.keyboard];
    const n = this.#n++;
    const middle = async (selector) => {
      const box = await page.locator(selector).first().boundingBox();
      return [box.x + box.width / 2, box.y + box.height / 2];
    };
    for (const filter of ['missed', 'all']) {
      const at = await middle(`[data-filter=${filter}]`);
      await this.#time('a filter clicked', () => mouse.click(...at));
    }
    const search = await middle('.summary input[type=search]');
    await mouse.click(...search);
    for (const key of `gx-0${n % 5}`) await this.#time('a letter of a search typed', () => keys.press(key));
    await this.#time('the search left', () => keys.press('Escape'));
    await page.selectOption('select >> nth=0', { index: 1 + (n % 3) });
    await page.selectOption('select >> nth=0', { index: 0 });
    // A place in the list, not a fault: rows move below the hand.
    await this.#time('a fault opened', () => mouse.click(500, 300 + 47 * (n % 6)));
    await page.locator('aside[data-drawer]').waitFor();
    await this.#time('the next fault by key', () => keys.press('j'));
    await this.#time('a fault closed', () => keys.press('Escape'));
    await mouse.move(500, 400);
    for (let i = 0; i < 4; i += 1)
      await this.#time('a long list scrolled', () => mouse.wheel(0, n % 2 ? -9_000 : 9_000));
  }
}
