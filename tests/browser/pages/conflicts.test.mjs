// What came from an agent and does not fit: listed, counted beside its page's name, settled with a note.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { startLaptop } from '../lib/laptop.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const NO_ROUND = '00000000-0000-7000-8000-000000000999';

describe('conflicts', () => {
  let browser;
  let server;
  let laptop;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser('head', 'admin');
    await server.addUser('technician-1', 'technician');
    laptop = await startLaptop(server, { people: ['technician-1'], customers: ['C001'] });
    const report = ['visit', 'new', '--customer', 'C001', '--met', 'Sample Person'];
    await laptop.run(...report, '--purpose', 'sample: a round that there is not', '--round', NO_ROUND);
    const listed = async () => (await server.api('GET', '/conflicts?settled=false')).items.length === 1;
    await until(listed, 'the report to be known as a conflict', 60_000);
  });
  after(async () => {
    await browser?.close();
    await laptop?.stop();
    await server?.stop();
  });

  const open = (more = {}) =>
    openBoard(browser, server.url, { user: USER, password: PASSWORD, path: '/#/conflicts', ...more });

  it('are accessible in both themes, in Chinese and on a phone', async () => {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open({ locale: 'zh-CN', colorScheme });
      await page.getByRole('heading', { name: '待核对记录' }).waitFor();
      await page.locator('[data-conflict]', { hasText: '走访记录' }).waitFor();
      assert.deepEqual(await graveFindings(page), []);
      await page.setViewportSize({ width: 390, height: 844 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  });

  it('lead to what they are about, and are settled by keyboard, with a note', async () => {
    const page = await open();
    const row = page.locator('[data-conflict]');
    await row.getByText('there is no round').waitFor();
    await row.getByText('sample-laptop').waitFor();
    const nav = page.locator('nav.wide [data-nav=conflicts]');
    await until(async () => /Conflicts\s*1/.test(await nav.innerText()), 'the count beside the page’s name');
    await row.locator('[data-to=report]').click();
    await page.locator('[data-report] [data-why]', { hasText: 'there is no round' }).waitFor();

    await page.goBack();
    await row.getByRole('button', { name: 'Settle: Visit report' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-form=settle] button.solid').click();
    await page.locator('[data-form=settle] [role=alert]', { hasText: 'What came of it' }).waitFor();
    await page.locator('#settle-note').focus();
    await page.keyboard.type('sample: the round was named wrong');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await row.waitFor({ state: 'detached' });
    await page.getByText('Everything that came from agents fits.').waitFor();
    await until(async () => !/\d/.test(await nav.innerText()), 'the count to be gone');

    await page.getByRole('button', { name: 'Settled' }).click();
    await page.getByText('sample: the round was named wrong').waitFor();
    await page.getByText(`by ${USER}`, { exact: false }).waitFor();
    const [settled] = (await server.api('GET', '/conflicts?settled=true')).items;
    assert.deepEqual([settled.settled_by, settled.note], [USER, 'sample: the round was named wrong']);
    assert.deepEqual(page.problems, []);
  });

  it('are not a technician’s', async () => {
    const page = await open({ user: 'technician-1' });
    await page.getByText('Conflicts are the desk’s to settle.').waitFor();
    assert.equal(await page.locator('[data-nav=conflicts]').count(), 0);
    assert.deepEqual(page.problems, []);
  });
});
