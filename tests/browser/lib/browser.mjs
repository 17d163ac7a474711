// A real Chromium, and a viewer of the board in it.

import { chromium } from 'playwright-core';

// Chromium's own background connections have nowhere to go on a machine without a network.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/**
 * A signed-in viewer of the board, in a browser profile of its own, who came by `path`. `clockOffMs` sets the
 * browser's wall clock wrong by so much; `changeBoard` changes the first snapshot on its way, for what no test
 * can bring about in the server; `withoutTicks` keeps the stream of events silent; `withClock` lets the test
 * move the browser's clocks (`page.clock`). `viewer.problems` collects script errors and refusals of the security policy.
 */
export async function openBoard(browser, url, { user, password, ...viewer }) {
  const page = await openPage(browser, url, viewer);
  await page.fill('input[name=user]', user);
  await page.fill('input[name=password]', password);
  await page.click('form button.solid');
  await page.locator('[data-link=live]').waitFor();
  return page;
}

/** The same of somebody who is not signed in yet. */
export async function openPage(browser, url, viewer = {}) {
  const { path = '/', clockOffMs = 0, changeBoard, withoutTicks, withClock, ...options } = viewer;
  const context = await browser.newContext({
    viewport: { width: 1366, height: 768 },
    locale: 'en-GB',
    ...options,
  });
  if (clockOffMs) await context.addInitScript(setClockWrong, clockOffMs);
  const page = await context.newPage();
  if (withClock) await page.clock.install();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on(
    'console',
    (message) => /Content Security Policy/i.test(message.text()) && problems.push(message.text()),
  );
  if (changeBoard) await page.route('**/api/v1/board', changed(changeBoard), { times: 1 });
  if (withoutTicks) await page.addInitScript(silenceEvents);
  await page.goto(url + path);
  return Object.assign(page, { problems });
}

/** Answers a request by the server's own answer, changed. */
function changed(change) {
  return async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    change(json);
    await route.fulfill({ response, json });
  };
}

/** Runs in the page: the stream of events opens, and says nothing. */
function silenceEvents() {
  globalThis.EventSource = class extends EventTarget {
    constructor() {
      super();
      queueMicrotask(() => this.dispatchEvent(new Event('open')));
    }
    close() {}
  };
}

/** Runs in the page, before its own scripts. */
function setClockWrong(offMs) {
  const Right = Date;
  globalThis.Date = class extends Right {
    constructor(...args) {
      if (args.length) super(...args);
      else super(Right.now() + offMs);
    }
    static now() {
      return Right.now() + offMs;
    }
  };
}

export const row = (page, line) => page.locator(`tr[data-line="${line}"]`);

/** What a countdown shows, in seconds; null while it is not there. */
export async function secondsLeft(page, line, kind) {
  const cell = row(page, line).locator(`[data-kind=${kind}]`);
  if ((await cell.count()) === 0) return null;
  const text = (await cell.innerText()).trim();
  const match = /^(−?)(?:(\d+)d )?([\d:]+)$/.exec(text);
  if (!match) throw new Error(`not a countdown: ${text}`);
  const [, minus, days, clock] = match;
  const seconds =
    clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days ?? 0) * 86_400;
  return minus ? -seconds : seconds;
}
