// What surrounds every page.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };

/** Two ticks of the stream, and a connection. */
const ENDED_BOUND_MS = 15_000;

describe('the shell', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  it('reports a fault from any address, and shows it', async () => {
    const [line] = await server.lines();
    const page = await openBoard(browser, server.url, { ...CREDENTIALS, path: '/#/nowhere' });
    await page.keyboard.press('n');
    await page.fill('#report-line', line);
    await page.locator('#report-line-list [role=option]', { hasText: line }).click();
    await page.click('dialog button.solid');
    await page.locator('aside[data-drawer]').waitFor();
    assert.match(await page.evaluate(() => location.hash), /^#\/faults\//);
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(page.problems, []);
  });

  const NEXT = '示例口令-样例-2026';
  const fields = (page) => ({
    present: page.locator('[data-form=own-password] [name=present]'),
    next: page.locator('[data-form=own-password] [name=next]'),
    again: page.locator('[data-form=own-password] [name=again]'),
    wrong: page.locator('[data-form=own-password] [role=alert]'),
  });

  it('changes the own password by keys alone, stays signed in here, and ends what is elsewhere', async () => {
    const [here, elsewhere] = [
      await openBoard(browser, server.url, CREDENTIALS),
      await openBoard(browser, server.url, CREDENTIALS),
    ];
    await here.locator('[data-user-menu] summary').focus();
    await here.keyboard.press('Enter');
    await here.keyboard.press('Tab');
    await here.keyboard.press('Enter');
    const { present, next, again, wrong } = fields(here);
    await present.waitFor();
    assert.deepEqual(await graveFindings(here), []);
    const type = async (...texts) => {
      await present.focus();
      for (const text of texts) {
        await here.keyboard.press('ControlOrMeta+A');
        await here.keyboard.type(text);
        await here.keyboard.press('Tab');
      }
      await here.keyboard.press('Enter');
    };
    await type('sample-wrong-1', NEXT, NEXT);
    await wrong.filter({ hasText: 'The present password is wrong' }).waitFor();
    assert.ok(await present.evaluate((field) => field === document.activeElement));
    assert.equal(await next.inputValue(), NEXT, 'nobody types it again');
    await type(PASSWORD, 'short');
    await wrong.filter({ hasText: 'at least 12 characters' }).waitFor();
    await type(PASSWORD, NEXT, `${NEXT}x`);
    await wrong.filter({ hasText: 'not the same' }).waitFor();
    await type(PASSWORD, NEXT, NEXT);
    await here.locator('dialog').waitFor({ state: 'detached' });
    await here.locator('text=signed out everywhere else').waitFor();
    await here.locator('[data-link=live]').waitFor();
    // Its stream ends with the next tick, not only when something is read again.
    await elsewhere.locator('input[name=user]').waitFor({ timeout: ENDED_BOUND_MS });
    assert.equal(await again.count(), 0);
    assert.deepEqual([here.problems, elsewhere.problems], [[], []]);

    await here.locator('[data-user-menu] summary').click();
    await here.click('[data-sign-out]');
    await here.fill('input[name=user]', USER);
    await here.fill('input[name=password]', NEXT);
    await here.click('form button.solid');
    await here.locator('[data-link=live]').waitFor();
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`tells the rules of a password before, in Chinese on a phone (${colorScheme})`, async () => {
      const viewport = { width: 390, height: 844 };
      const page = await openBoard(browser, server.url, {
        user: USER,
        password: NEXT,
        locale: 'zh-CN',
        colorScheme,
        viewport,
      });
      await page.locator('[data-user-menu] summary').click();
      assert.deepEqual(await graveFindings(page), []);
      await page.click('[data-change-password]');
      await page.locator('[data-form=own-password]', { hasText: '至少 12 个字符' }).waitFor();
      await page.locator('dialog', { hasText: '其他所有登录都会退出' }).waitFor();
      await page.fill('[name=present]', NEXT);
      await page.fill('[name=next]', '短');
      await page.click('[data-form=own-password] button.solid');
      await page.locator('[role=alert]', { hasText: '新密码太短' }).waitFor();
      assert.deepEqual(await graveFindings(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    });
  }
});
