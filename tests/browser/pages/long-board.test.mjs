// A board with very many open faults: only what is in sight is drawn, and nobody should notice.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard, row } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const FAULTS = 2_000;
const DRAWN_MAX = 120;
const LATER_MS = 60_000;

describe('a board of 2,000 faults', () => {
  let browser;
  let server;
  let fault;

  before(async () => (browser = await launch()));
  after(async () => browser?.close());
  beforeEach(async () => {
    server = await startServer();
    fault = await server.report('GX-0001');
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server?.stop();
  });

  /** The server's one fault, and sample ones after it, each due a minute later than the one before. */
  function fill(board) {
    const [real] = board.faults;
    for (let n = 1; n < FAULTS; n += 1) {
      const later = (promise) =>
        promise && { ...promise, due_at: new Date(Date.parse(promise.due_at) + n * LATER_MS).toISOString() };
      board.faults.push({
        ...real,
        id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
        line: `S-${String(n).padStart(4, '0')}`,
        restoration: later(real.restoration),
        feedback: later(real.feedback),
      });
    }
  }
  const open = (options = {}) =>
    openBoard(browser, server.url, { user: USER, password: PASSWORD, changeBoard: fill, ...options });
  const drawn = (page) => page.locator('tr[data-fault]').count();
  const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('data-line'));
  const scrollTo = (page, share) =>
    page.locator('main').evaluate((it, part) => (it.scrollTop = part * it.scrollHeight), share);

  it('draws what is in sight, and says how much there is', async () => {
    const page = await open();
    await row(page, 'S-0005').waitFor();
    assert.ok((await drawn(page)) < DRAWN_MAX, `${await drawn(page)} rows are drawn`);
    assert.equal(await page.locator('table').getAttribute('aria-rowcount'), String(FAULTS + 1));
    assert.equal(await row(page, 'S-0005').getAttribute('aria-rowindex'), '7');
    assert.match(await page.locator('[data-filter=all]').innerText(), /^2000/);

    await scrollTo(page, 0.5);
    await row(page, 'S-1000').waitFor();
    assert.ok((await drawn(page)) < DRAWN_MAX);
    await scrollTo(page, 1);
    await row(page, 'S-1999').waitFor();
    const box = await row(page, 'S-1999').boundingBox();
    assert.ok(box.y > 0 && box.y + box.height <= 768, 'the last row stands at the end');

    await page.fill('.summary input[type=search]', 's-0321');
    await row(page, 'S-0321').waitFor();
    assert.equal(await drawn(page), 1);
    await page.fill('.summary input[type=search]', '');
    await row(page, 'GX-0001').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(page.problems, []);
  });

  it('begins what is chosen anew at its top', async () => {
    const page = await open();
    await row(page, 'GX-0001').waitFor();
    await scrollTo(page, 0.5);
    await row(page, 'S-1000').waitFor();
    // A thousand of them are left: half the way down would be among them, too.
    await page.fill('.summary input[type=search]', 's-0');
    await row(page, 'S-0001').waitFor();
    assert.equal(await page.locator('main').evaluate((it) => it.scrollTop), 0);
    const box = await row(page, 'S-0001').boundingBox();
    assert.ok(box.y > 0 && box.y < 768, 'the first row is in sight');
  });

  it('keeps the focus where it was, however far it is scrolled away', async () => {
    const page = await open();
    await row(page, 'GX-0001').waitFor();
    for (let n = 0; n < 3; n += 1) await page.keyboard.press('j');
    await until(async () => (await focused(page)) === 'S-0002', 'the third row to have the focus');
    await scrollTo(page, 0.9);
    await row(page, 'S-1800').waitFor();
    assert.equal(await focused(page), 'S-0002');
    await page.keyboard.press('j');
    await until(async () => (await focused(page)) === 'S-0003', 'the next row to have the focus');
    const box = await row(page, 'S-0003').boundingBox();
    assert.ok(box.y > 0 && box.y < 768, 'it is in sight');
    await page.keyboard.press('Enter');
    await page.locator('aside[data-drawer]').waitFor();
    await scrollTo(page, 0.9);
    await row(page, 'S-1800').waitFor();
    await page.keyboard.press('Escape');
    await until(async () => (await focused(page)) === 'S-0003', 'the row to have the focus again');
  });

  it('hears of what is out of sight', async () => {
    const page = await open();
    await row(page, 'GX-0001').waitFor();
    await scrollTo(page, 0.9);
    await row(page, 'S-1800').waitFor();
    await server.report('GX-0002');
    await page.locator('[data-filter=all]', { hasText: '2001' }).waitFor();
    await server.step(fault.id, 'acknowledged', 0);
    await scrollTo(page, 0);
    await row(page, 'GX-0001').locator('[data-state=acknowledged]').waitFor();
    await row(page, 'GX-0002').waitFor();
  });

  it('fits a phone: cards are drawn as they come into sight', async () => {
    const page = await open({ viewport: { width: 390, height: 844 }, locale: 'zh-CN', colorScheme: 'dark' });
    await row(page, 'GX-0001').waitFor();
    assert.ok((await drawn(page)) < DRAWN_MAX);
    await scrollTo(page, 1);
    await row(page, 'S-1999').waitFor();
    await until(async () => {
      await scrollTo(page, 1);
      const box = await row(page, 'S-1999').boundingBox();
      return box && box.y > 0 && box.y < 844;
    }, 'the last card to be in sight');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    assert.deepEqual(await graveFindings(page), []);
  });
});
