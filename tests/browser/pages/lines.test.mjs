// The pages of lines.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { withMinutes } from '../lib/minutes.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD, timezoneId: 'Asia/Shanghai' };
const PAST_MIN = 240;

describe("lines' pages", () => {
  let browser;
  let server;
  let past;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    past = await server.report('GX-0001', PAST_MIN);
    await server.step(past.id, 'restored', PAST_MIN - 90);
    await server.step(past.id, 'repaired', PAST_MIN - 95);
    await server.step(past.id, 'callback', PAST_MIN - 100, { reached: true, result: 'satisfied' });
    await server.report('GX-0001', 10);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (path, viewer = {}) => openBoard(browser, server.url, { ...CREDENTIALS, path, ...viewer });
  const hitDays = (page) => page.locator('[data-panel=calendar] ul button');

  it('finds a line by a part of its site, and says so where none is found', async () => {
    const page = await open('/#/lines');
    await page.locator('tr[data-code=GX-0003]').waitFor();
    await page.fill('input[type=search]', 'library');
    await until(async () => (await page.locator('tr[data-code]').count()) === 1, 'the one line');
    await page.fill('input[type=search]', 'no such place');
    await page.getByText('No line has this').waitFor();
    await page.fill('input[type=search]', '');
    await page.locator('tr[data-code=GX-0001] a').first().click();
    await page.locator('[data-line-page=GX-0001]').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('shows the year by days, against the limits, and its faults', async () => {
    const page = await open('/#/lines/GX-0001');
    await hitDays(page).first().waitFor();
    const line = await server.api('GET', '/lines/GX-0001');
    assert.equal(line.outages.length, 2);
    assert.match(await page.locator('[data-cell=repeats]').innerText(), /2\s*\/ 4/);
    assert.match(
      await page.locator('[data-cell=interruption]').innerText(),
      /1:4\d \/ 6 h[^]*passes the limit/,
    );
    assert.match(await page.locator('[data-total]').innerText(), /1 h 4\d min in all/);
    assert.equal(await page.locator('[data-panel=faults] tbody tr').count(), 2);
    await page.locator('[data-panel=calendar] [data-year]').first().click();
    await page.getByText('No interruption that counts.').waitFor();
    await page.getByText('None. Faults of this line').waitFor();
    await page.locator('[data-panel=calendar] [data-year]').last().click();
    await page.locator(`tr[data-fault="${past.id}"] a`).click();
    await page.locator(`[data-fault-page="${past.id}"]`).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('goes from a day of the calendar to its minutes, by keys alone', async () => {
    const page = await open('/');
    await withMinutes(page, 'GX-0001', () => 1);
    await page.evaluate(() => (location.hash = '#/lines/GX-0001'));
    const evidence = page.locator('[data-panel=evidence]');
    await evidence.locator('canvas').waitFor();
    assert.match(await evidence.locator('[data-sum]').innerText(), / of 3,[56]\d0 probes lost/);
    await until(async () => {
      if (await page.evaluate(() => document.activeElement?.dataset.day)) return true;
      await page.keyboard.press('Tab');
      return false;
    }, 'the focus on a day');
    await page.keyboard.press('Enter');
    await until(
      async () => / of 86,400 probes lost/.test(await evidence.locator('[data-sum]').innerText()),
      'the minutes of the day',
    );
    await until(async () => {
      if (await page.evaluate(() => document.activeElement?.dataset.span === 'earlier')) return true;
      await page.keyboard.press('Tab');
      return false;
    }, 'the focus on "Earlier"');
    const day = await evidence.locator('[data-sum] span').first().innerText();
    await page.keyboard.press('Enter');
    await until(
      async () => (await evidence.locator('[data-sum] span').first().innerText()) !== day,
      'an earlier span',
    );
    assert.deepEqual(page.problems, []);
  });

  it('speaks Chinese, in both themes, and fits a phone', async () => {
    const page = await open('/#/lines/GX-0001', { locale: 'zh-CN' });
    await page.getByText('中断日历').waitFor();
    await hitDays(page).first().waitFor();
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await graveFindings(page), [], colorScheme);
    }
    for (const hash of ['#/lines/GX-0001', '#/lines']) {
      await page.setViewportSize({ width: 390, height: 844 });
      await page.evaluate((to) => (location.hash = to), hash);
      await page.locator('main table').first().waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, hash);
      assert.deepEqual(await graveFindings(page), [], hash);
    }
  });

  it('says so where there is no such line', async () => {
    const page = await open('/#/lines/GX-9999');
    await page.locator('main [role=alert]').waitFor();
    assert.match(await page.locator('main [role=alert]').innerText(), /GX-9999/);
  });
});
