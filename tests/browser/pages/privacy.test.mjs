// Administration of confidentiality: agreements, and what is erased.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, startServer } from '../lib/server.mjs';

const ADMIN = { user: 'supervisor', password: PASSWORD, path: '/#/admin/privacy' };

describe('confidentiality', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser(ADMIN.user, 'admin');
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  const open = (viewer = {}) => openBoard(browser, server.url, { ...ADMIN, ...viewer });

  it('puts an agreement on record, by keys alone, and ends it only when asked twice', async () => {
    const page = await open();
    await page.locator('tr[data-wanting=noc]').waitFor();
    await page.locator('#agreement-person').focus();
    await page.keyboard.type('noc');
    await page.keyboard.press('Enter');
    await page.locator('[data-form=agreement] .error', { hasText: 'Where the paper is' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('sample file 7');
    await page.fill('#agreement-until', `${new Date().getFullYear() + 2}-12-31`);
    await page.locator('#agreement-document').press('Enter');
    const row = page.locator('tr[data-agreement=noc]');
    await row.waitFor();
    await page.locator('tr[data-wanting=noc]').waitFor({ state: 'detached' });
    await row.locator('button').press('Enter');
    await row.locator('text=End it?').waitFor();
    assert.match(await row.innerText(), /holds/);
    await row.locator('button.solid').press('Enter');
    await row.getByText('ended').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('erases nothing of a customer that is served; counts before it erases', async () => {
    const page = await open({ locale: 'zh-CN' });
    const form = page.locator('[data-form=erase]');
    const choose = async () => {
      await page.fill('#erase-customer', 'C002');
      await page.locator('#erase-customer-list [role=option]', { hasText: 'C002' }).click();
      await page.fill('#erase-reason', '客户要求（样例）');
      await form.locator('button.solid').click();
    };
    await choose();
    await form.locator('.error').waitFor();
    const admin = await server.as(ADMIN.user);
    await admin('PUT', '/customers/C002/service-end', { ends_at: new Date().toISOString() });
    await choose();
    await form.locator('[data-counted]', { hasText: '联系人' }).waitFor();
    await form.locator('button.solid').click();
    await form.locator('.error', { hasText: '请勾选' }).waitFor();
    assert.equal((await admin('GET', '/erasures')).items.length, 0, 'it only counted');
    await form.locator('input[type=checkbox]').check();
    await form.locator('button.solid').click();
    await page.locator('tr[data-erasure=C002]', { hasText: '联系人' }).waitFor();
    const { items } = await server.api('GET', '/customers?q=C002');
    assert.ok(items[0].erased_at);
    assert.deepEqual(page.problems, []);
  });

  it('is accessible in both themes and on a phone', async () => {
    for (const viewer of [
      { colorScheme: 'light' },
      { colorScheme: 'dark' },
      { viewport: { width: 390, height: 844 } },
    ]) {
      const page = await open(viewer);
      await page.locator('tr[data-erasure]').waitFor();
      assert.deepEqual(await graveFindings(page), []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, 'the page goes sideways');
      await page.close();
    }
  });
});
