// Complaints, requests, defects and promises.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
const MATTERS = '/#/matters';
const DAY_MS = 86_400_000;

describe('the matters’ page', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser('head', 'admin');
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (path = MATTERS, more = {}) =>
    openBoard(browser, server.url, { ...CREDENTIALS, path, ...more });
  const complain = (title, more = {}) =>
    server.api('POST', '/matters', { kind: 'complaint', class: 'minor', customer: 'C001', title, ...more });
  const at = (page, id) => page.locator(`[data-detail="${id}"]`);
  const choose = (page, step) => page.locator(`[data-choose=${step}]`).click();
  const submit = (page, step) => page.locator(`[data-form=${step}] button.solid`).click();
  const stateOf = async (id) => (await server.api('GET', `/matters/${id}`)).state;
  const local = (ms) => new Date(ms).toISOString().slice(0, 19);
  const idOf = async (page) => {
    await until(() => page.evaluate(() => location.hash.startsWith('#/matters/')), 'the matter to be open');
    return page.evaluate(() => location.hash.split('/').at(-1));
  };

  it('takes a complaint in and brings it to its close, without the mouse up to the intake', async () => {
    const page = await open();
    await page.locator('[data-take]').focus();
    await page.keyboard.press('Enter');
    await page.locator('#intake-customer').focus();
    await page.keyboard.type('Bank');
    await page.locator('#intake-customer-list [role=option]', { hasText: 'C001' }).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('#intake-title-field').focus();
    await page.keyboard.type('sample: no invoice');
    await page.locator('#intake-line option[value="GX-0001"]').waitFor({ state: 'attached' });
    await page.selectOption('#intake-line', 'GX-0001');
    await page.locator('#intake-title-field').press('Enter');
    const id = await idOf(page);
    await at(page, id).locator('[data-owed=answer]').waitFor();
    const [timer] = await at(page, id).locator('[data-due=answer]').allInnerTexts();
    assert.match(timer, /^1[45]:\d\d$/);

    await choose(page, 'answered');
    await submit(page, 'answered');
    await at(page, id).locator('[data-state=answered]').waitFor();
    await choose(page, 'resolved');
    await submit(page, 'resolved');
    await page.locator('[data-form=resolved] .error').waitFor();
    await page.fill('textarea[name=text]', 'sample: sent again');
    await submit(page, 'resolved');
    await at(page, id).locator('[data-state=resolved]').waitFor();
    await choose(page, 'callback');
    await page.getByText('Reached', { exact: true }).click();
    await page.locator('[data-form=callback]').getByText('Satisfied', { exact: true }).click();
    await submit(page, 'callback');
    await at(page, id).locator('[data-state=closed]').waitFor();
    assert.equal(await stateOf(id), 'closed');
    assert.deepEqual(page.problems, []);
  });

  it('refuses a second postponement and says why; a supervisor may record it as a special case', async () => {
    const { id } = await complain('sample: slow');
    const page = await open(`${MATTERS}/${id}`, { timezoneId: 'UTC' });
    const postpone = async (viewer, days) => {
      await choose(viewer, 'postponed');
      await viewer.fill('input[name=until]', local(Date.now() + days * DAY_MS));
      await viewer.fill('textarea[name=reason]', 'sample: a part is awaited');
    };
    await postpone(page, 3);
    await submit(page, 'postponed');
    await page.locator('[data-fact=postponed]').waitFor();
    await postpone(page, 5);
    await submit(page, 'postponed');
    await page.locator('[data-form=postponed] .error', { hasText: 'put off once already' }).waitFor();
    assert.equal((await server.api('GET', `/matters/${id}`)).postponed, 1);

    const head = await open(`${MATTERS}/${id}`, { user: 'head', timezoneId: 'UTC' });
    await postpone(head, 5);
    await head.locator('[data-form=postponed] .check input').check();
    await submit(head, 'postponed');
    await until(async () => (await server.api('GET', `/matters/${id}`)).postponed === 2, 'the special case');
    assert.deepEqual([...page.problems, ...head.problems], []);
  });

  it('links a repeat complaint, which makes the first one major', async () => {
    const { id } = await complain('sample: noise on the line');
    const page = await open(`${MATTERS}/${id}`);
    await choose(page, 'repeated');
    await page.locator('[data-form=intake] button.solid').click();
    await until(async () => (await server.api('GET', `/matters/${id}`)).repeats.length === 1, 'the repeat');
    await until(async () => (await idOf(page)) !== id, 'the repeat to be open');
    await page.goto(`${server.url}/#/matters/${id}`);
    await at(page, id).locator('[data-repeat]').waitFor();
    assert.equal((await server.api('GET', `/matters/${id}`)).class, 'major');
    assert.deepEqual(page.problems, []);
  });

  it('narrows the list, in Chinese, accessible in both themes and on a phone', async () => {
    const { id } = await complain('样例：大厅断网');
    await server.api('POST', '/matters', {
      kind: 'request',
      class: 'ordinary',
      customer: 'C002',
      title: '样例：扩容',
    });
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(MATTERS, { locale: 'zh-CN', colorScheme });
      const row = page.locator(`[data-matter="${id}"]`);
      await row.waitFor();
      assert.deepEqual(await graveFindings(page), []);
      await page.locator('[data-chip=request]').click();
      await row.waitFor({ state: 'detached' });
      await page.getByRole('link', { name: '样例：扩容' }).waitFor();
      await page.locator('[data-chip=""]').click();
      await page.locator('input[type=search]').fill('大厅');
      await until(async () => (await page.locator('[data-matter]').count()) === 1, 'one row');
      await row.getByRole('link').click();
      await at(page, id).waitFor();
      await choose(page, 'routed');
      await submit(page, 'routed');
      await page.locator('[data-form=routed] .error').waitFor();
      assert.deepEqual(await graveFindings(page), []);
      await page.setViewportSize({ width: 390, height: 844 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  });
});
