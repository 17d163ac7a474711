// An account manager's view: what is owed, this month, the customers.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';

const MANAGER = 'manager-east';

describe("the account manager's view", () => {
  let browser;
  let server;
  let fault;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser(MANAGER, 'manager');
    fault = await server.report('GX-0001', 1);
    await server.report('GX-0003', 1);
    const past = await server.report('GX-0002', 300);
    await server.step(past.id, 'restored', 100);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (options = {}) =>
    openBoard(browser, server.url, { user: MANAGER, password: PASSWORD, path: '/#/mine', ...options });

  it('shows what is owed to the own customers, and leads there', async () => {
    const page = await open();
    await page.locator('[data-owed=GX-0001]').waitFor();
    assert.equal(await page.locator('[data-owed=GX-0003]').count(), 0, "another manager's customer");
    await page.locator('[data-customer=C001]', { hasText: 'Sample Bank' }).waitFor();
    assert.equal(await page.locator('[data-customer=C002]').count(), 0);
    await page.locator('[data-promise=restoration]').waitFor();
    await page.click('[data-figure=restoration_missed]');
    await page.locator('dialog[data-rows=restoration_missed] tbody tr', { hasText: 'GX-0002' }).waitFor();
    await page.goBack();
    await page.locator('[data-owed=GX-0001] a').focus();
    await page.keyboard.press('Enter');
    await page.locator(`aside[data-drawer="${fault.id}"]`).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('shows which lines use up what they may be without service', async () => {
    await server.report('GX-0002', 500);
    const page = await open();
    const running = page.locator('[data-allowance="interruption GX-0001"]');
    await running.locator('[role=timer]').waitFor();
    assert.match(await running.innerText(), /Year's interruption.*\/ 6 h.*if the outage goes on/s);
    const passed = page.locator('[data-allowance="interruption GX-0002"]');
    await passed.locator('text=used up').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(page.problems, []);
  });

  it('takes away what is done, without a reload', async () => {
    const page = await open();
    await page.locator('[data-owed=GX-0001] [data-due=feedback]').waitFor();
    await server.step(fault.id, 'feedback', 0, { reached: true });
    await server.step(fault.id, 'restored', 0);
    await page.locator('[data-owed=GX-0001]', { hasText: 'Restored' }).waitFor();
  });

  it("shows another manager's customers to the desk, and says where there are none", async () => {
    const page = await open({ user: USER });
    await page.locator('text=No customer has noc as account manager').waitFor();
    await page.selectOption('main label select', 'manager-west');
    await page.locator('[data-owed=GX-0003]').waitFor();
    assert.equal(await page.evaluate(() => location.hash), '#/mine/manager-west');
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`is fit for everybody, in Chinese (${colorScheme})`, async () => {
      const page = await open({ locale: 'zh-CN', colorScheme });
      await page.locator('h1', { hasText: '我的客户' }).waitFor();
      await page.locator('[data-customer=C001]').waitFor();
      await page.locator('[data-promise=restoration]').waitFor();
      assert.deepEqual(await graveFindings(page), []);
    });
  }

  it('fits a phone', async () => {
    const page = await open({ viewport: { width: 390, height: 844 } });
    await page.locator('[data-customer=C001]').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  });
});
