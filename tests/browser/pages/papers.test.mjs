// The papers of the monthly meeting: looked at, taken as files, approved, and what changed since.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';

const ADMIN = 'supervisor';
const HOURS = 60;
const DAYS = 24 * HOURS;

/** Minutes from the middle of last month until now. */
function sinceLastMonth(more = 0) {
  const now = new Date();
  const middle = new Date(now.getFullYear(), now.getMonth() - 1, 15, 12);
  return Math.floor((now - middle) / 60_000) - more;
}
const monthOf = (at) => `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}`;
const PRESENT = monthOf(new Date());
const LAST = monthOf(new Date(new Date().getFullYear(), new Date().getMonth() - 1, 15));

describe("the meeting's papers", () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser(ADMIN, 'admin');
    await fault('GX-0001', 0);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** A fault of last month that was restored too late. */
  async function fault(line, later) {
    const { id } = await server.report(line, sinceLastMonth(later));
    await server.step(id, 'restored', sinceLastMonth(later) - 9 * HOURS);
  }
  const open = (user, path, options = {}) =>
    openBoard(browser, server.url, { user, password: PASSWORD, path, ...options });

  it('are kept as a copy, and taken as files in both languages', async () => {
    const page = await open(USER, '/#/reports/papers');
    await page.locator('[data-copy="1"][data-approved=false]').waitFor();
    await page.locator('[data-panel=missed] tbody tr', { hasText: 'GX-0001' }).first().waitFor();
    assert.equal(await page.locator('[data-approve]').count(), 0, 'an administrator approves');
    for (const [name, type] of [
      ['pdf zh', 'application/pdf'],
      ['xlsx en', 'spreadsheetml'],
      ['json en', 'application/json'],
    ]) {
      const href = await page.locator(`[data-download="${name}"]`).getAttribute('href');
      const answer = await page.request.get(server.url + href);
      assert.equal(answer.status(), 200, name);
      assert.match(answer.headers()['content-type'], new RegExp(type));
    }
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(page.problems, []);
  });

  it('are approved by keys alone, say what changed since, and are made anew', async () => {
    const page = await open(ADMIN, '/#/reports/papers');
    await page.locator('[data-approve]').focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-copy="1"][data-approved=true]').waitFor();
    assert.equal(await page.locator('[data-approve]').count(), 0);
    assert.equal(await page.locator('[data-panel=since]').count(), 0);
    await fault('GX-0003', 2 * DAYS);
    await page.reload();
    await page.locator('[data-panel=since] tbody tr', { hasText: 'Faults' }).first().waitFor();
    await page.locator('[data-anew]').focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-copy="2"][data-approved=false]').waitFor();
    await page.locator('select[aria-label="Kept copies"]').selectOption('1');
    await page.locator('[data-copy="1"][data-approved=true]').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('say where there is no such copy, and what a running month lacks', async () => {
    const page = await open(USER, `/#/reports/papers/${LAST}?copy=99`);
    await page.locator('[role=alert]', { hasText: 'there is no copy 99' }).waitFor();
    const running = await open(USER, `/#/reports/papers/${PRESENT}`, { locale: 'zh-CN' });
    await running.locator('[data-copy=running]').waitFor();
    await running.locator('text=本月尚未结束').waitFor();
    assert.equal(await running.locator('[data-anew]').count(), 0);
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`are fit for everybody, in Chinese on a phone (${colorScheme})`, async () => {
      const viewport = { width: 390, height: 844 };
      const path = `/#/reports/papers/${LAST}`;
      const page = await open(ADMIN, path, { locale: 'zh-CN', colorScheme, viewport });
      await page.locator('h1', { hasText: '服务质量分析会材料' }).waitFor();
      await page.locator('[data-panel=figures] tbody tr').first().waitFor();
      assert.deepEqual(await graveFindings(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    });
  }
});
