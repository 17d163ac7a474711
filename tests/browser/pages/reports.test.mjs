// The reports: a period, its figures, and the rows behind each.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
const HOUR_MIN = 60;
const DAY_MIN = 24 * HOUR_MIN;
/** So long ago that it is in a month that is over, and in no month beside this one. */
const LONG_AGO_MIN = 70 * DAY_MIN;

describe('the reports', () => {
  let browser;
  let server;
  let late;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    const [line, other] = await server.lines();
    // Promised within 2 hours: one restored in time, one not.
    const kept = await server.report(line, LONG_AGO_MIN);
    await server.step(kept.id, 'restored', LONG_AGO_MIN - HOUR_MIN);
    late = await server.report(other, LONG_AGO_MIN);
    await server.step(late.id, 'restored', LONG_AGO_MIN - 5 * HOUR_MIN);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** The month in which the faults were, in the zone of the pack. */
  const month = new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'Asia/Shanghai',
    year: 'numeric',
    month: '2-digit',
  }).format(Date.now() - LONG_AGO_MIN * 60_000);
  const open = (path, options = {}) => openBoard(browser, server.url, { ...CREDENTIALS, path, ...options });
  const promise = (page, name) => page.locator(`[data-promise=${name}]`);

  it('counts a month, and opens each figure to what it is made of', async () => {
    const page = await open(`/#/reports/month/${month}`);
    await promise(page, 'restoration').locator('text=50%').waitFor();
    await page.click('[data-figure=restoration_missed]');
    const rows = page.locator('dialog[data-rows=restoration_missed] tbody tr');
    await rows.first().waitFor();
    assert.equal(await rows.count(), 1);
    assert.match(await rows.innerText(), new RegExp(late.line));
    assert.equal(await rows.locator('a').first().getAttribute('href'), `#/faults/${late.id}`);
    assert.match(await page.evaluate(() => location.hash), /figure=restoration_missed/);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });

    await page.selectOption('main label select', 'customer');
    await page.locator('[data-group=C001]').locator('button', { hasText: '50%' }).click();
    await page.locator('dialog', { hasText: '样例银行' }).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('hands the files out', async () => {
    const page = await open(`/#/reports/month/${month}?group=customer`);
    for (const [form, start] of [
      ['csv', '\ufeff'],
      ['xlsx', 'PK'],
      ['pdf', '%PDF'],
    ]) {
      const href = await page.locator(`[data-download=${form}]`).getAttribute('href');
      const text = await page.evaluate(async (path) => {
        const answer = await fetch(path);
        return answer.ok
          ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(await answer.arrayBuffer())
          : '';
      }, href);
      assert.ok(text.startsWith(start), `${form}: ${text.slice(0, 60)}`);
    }
  });

  it('says what a fact that was learnt later changed', async () => {
    const page = await open(`/#/reports/month/${month}`);
    await page.locator('[data-changes="0"]').waitFor();
    await server.step(late.id, 'exempted', 1, { cause: 'force_majeure' });
    await page.click('button:has-text("Count again")');
    const changes = page.locator('[data-changes="1"]');
    await changes.locator('tr', { hasText: 'Exempt faults' }).first().waitFor();
    await promise(page, 'restoration').locator('text=100%').waitFor();
    assert.equal(await promise(page, 'restoration').locator('[data-figure$=missed]').isDisabled(), true);
  });

  it('speaks Chinese, and is turned by keys', async () => {
    const page = await open(`/#/reports/month/${month}`, { locale: 'zh-CN' });
    await page.locator('h1', { hasText: '报表' }).waitFor();
    await promise(page, 'restoration').locator('text=抢通恢复').waitFor();
    await page.focus('[data-kind=quarter]');
    await page.keyboard.press('Enter');
    await page.locator('[data-report*=Q]').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const before = await page.evaluate(() => location.hash);
    await page.keyboard.press('Enter');
    await until(async () => (await page.evaluate(() => location.hash)) !== before, 'another quarter');
    await page.locator('[data-report]').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('says so where there is no such period, and where it has not begun', async () => {
    const page = await open('/#/reports/month/2026-13');
    await page.locator('text=This address names no period').waitFor();
    await page.goto(`${server.url}/#/reports/year/2999`);
    await page.locator('[role=alert]', { hasText: '2999 has not begun yet' }).waitFor();
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`is fit for everybody (${colorScheme})`, async () => {
      const page = await open(`/#/reports/month/${month}`, { colorScheme });
      await page.locator('[data-report]').waitFor();
      assert.deepEqual(await graveFindings(page), []);
      await page.click('[data-figure=faults]');
      await page.locator('dialog tbody tr').first().waitFor();
      assert.deepEqual(await graveFindings(page), []);
    });
  }

  it('fits a phone', async () => {
    const page = await open(`/#/reports/month/${month}`, { viewport: { width: 390, height: 844 } });
    await page.locator('[data-report]').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  });
});
