// The board when things go wrong around it: its server restarts, its network is gone while it sleeps, a colleague is
// quicker, there is no mouse.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard, row } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const LINE = 'GX-0001';
const HOUR_MS = 3_600_000;

describe('a board in trouble', () => {
  let browser;
  let server;

  before(async () => (browser = await launch()));
  after(async () => browser?.close());
  beforeEach(async () => (server = await startServer()));
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server?.stop();
  });

  const open = (options = {}) =>
    openBoard(browser, server.url, { user: USER, password: PASSWORD, ...options });
  const facts = async (fault, kind) =>
    (await server.api('GET', `/faults/${fault.id}`)).facts.filter((fact) => fact.kind === kind);
  /** Opens the fault's drawer at a step. */
  const choose = async (page, step) => {
    await row(page, LINE).click();
    await page.click(`[data-choose=${step}]`);
  };

  it('keeps what was typed while its server is away, and saves it once', async () => {
    const fault = await server.report(LINE, 5);
    const page = await open();
    await choose(page, 'note');
    await page.fill('#step-text', 'sample words, half');
    await server.kill();
    await page.locator('[data-banner=cut]').waitFor();
    const save = page.locator('[data-form=note] button.solid');
    await save.click();
    await page.locator('[data-form=note] [role=alert]').waitFor();
    assert.equal(await page.inputValue('#step-text'), 'sample words, half');

    await server.start();
    await page.locator('[data-link=live]').waitFor({ timeout: 20_000 });
    assert.equal(await page.inputValue('#step-text'), 'sample words, half', 'still there when it is back');
    await save.click();
    await page.locator('[data-fact=note]', { hasText: 'sample words, half' }).waitFor();
    assert.equal((await facts(fault, 'note')).length, 1);
    assert.deepEqual(page.problems, []);
  });

  it('is right soon after an hour of sleep without a network', async () => {
    const fault = await server.report(LINE, 5);
    const page = await open({ withClock: true });
    await row(page, LINE).waitFor();
    await page.evaluate(() => (globalThis.neverReloaded = true));
    await page.context().setOffline(true);
    await server.step(fault.id, 'acknowledged', 0);
    await server.report('GX-0003', 1);
    await page.clock.fastForward(HOUR_MS);
    await until(
      async () => (await page.locator('[data-link]').getAttribute('data-link')) !== 'live',
      'the board to say that it hears nothing',
    );
    assert.equal(await row(page, LINE).count(), 1, 'what was known stays');

    await page.context().setOffline(false);
    await row(page, LINE).locator('[data-state=acknowledged]').waitFor({ timeout: 15_000 });
    await row(page, 'GX-0003').waitFor();
    await page.locator('[data-link=live]').waitFor();
    assert.equal(await page.evaluate(() => globalThis.neverReloaded), true);
  });

  it('tells the slower of two people what the quicker one did, and keeps the words', async () => {
    const fault = await server.report(LINE, 5);
    for (const step of ['acknowledged', 'dispatched']) await server.step(fault.id, step, 4);
    const [quick, slow] = [await open(), await open({ locale: 'zh-CN' })];
    await choose(slow, 'feedback');
    await slow.locator('[data-form=feedback] input[name=reached][value=yes]').locator('xpath=..').click();
    await slow.fill('#step-note', '示例：正在更换光纤');
    await choose(quick, 'restored');
    await quick.locator('[data-form=restored] button.solid').click();
    await row(slow, LINE).locator('[data-state=restored]').waitFor();
    assert.equal(await slow.inputValue('#step-note'), '示例：正在更换光纤', 'nobody takes the words away');
    await slow.locator('[data-form=feedback] button.solid').click();
    await slow.locator('[data-fact=feedback]', { hasText: '示例：正在更换光纤' }).waitFor();

    // The slower one is about to say that it is repaired; the quicker one has said so, and that it broke again.
    await slow.click('[data-choose=repaired]');
    await quick.click('[data-choose=repaired]');
    await quick.locator('[data-form=repaired] button.solid').click();
    await row(quick, LINE).locator('[data-state=repaired]').waitFor();
    await server.step(fault.id, 'reopened', 0, { case: 'never_came_back', reason: 'sample: still nothing' });
    await row(slow, LINE)
      .locator('[data-state=restored], [data-state=repaired]')
      .waitFor({ state: 'detached' });
    await slow.locator('[data-form=repaired] button.solid').click();
    await slow.locator('[data-form=repaired] [role=alert]').waitFor();
    assert.equal((await facts(fault, 'repaired')).length, 1, 'what is not restored is not repaired');
    for (const page of [quick, slow]) assert.deepEqual(page.problems, []);
  });

  it('is worked from the sign-in to a saved step without a mouse', async () => {
    const fault = await server.report(LINE, 5);
    const page = await (await browser.newContext({ locale: 'en-GB' })).newPage();
    await page.goto(server.url);
    await page.locator('input[name=user]').waitFor();
    for (let n = 0; n < 10; n += 1) {
      if (await page.evaluate(() => document.activeElement?.getAttribute('name') === 'user')) break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type(USER);
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await row(page, LINE).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.locator('aside[data-drawer]').waitFor();
    await tabTo(page, '[data-choose=note]');
    await page.keyboard.press('Enter');
    await tabTo(page, '#step-text');
    await page.keyboard.type('sample words by keys');
    await tabTo(page, '[data-form=note] button.solid');
    await page.keyboard.press('Enter');
    await page.locator('[data-fact=note]', { hasText: 'sample words by keys' }).waitFor();
    assert.equal((await facts(fault, 'note')).length, 1);
    await page.keyboard.press('Escape');
    await page.locator('aside[data-drawer]').waitFor({ state: 'detached' });
  });

  it('is accessible with a fault open and its server away, in both themes', async () => {
    await server.report(LINE, 5);
    const pages = await Promise.all(
      ['light', 'dark'].map((colorScheme) => open({ colorScheme, locale: 'zh-CN' })),
    );
    for (const page of pages) {
      await choose(page, 'feedback');
      assert.deepEqual(await graveFindings(page), []);
    }
    await server.kill();
    for (const page of pages) {
      await page.locator('[data-banner=cut]').waitFor();
      assert.deepEqual(await graveFindings(page), []);
    }
  });
});

/** Goes on with the Tab key until the element has the focus; there is an end to it. */
async function tabTo(page, selector) {
  for (let n = 0; n < 60; n += 1) {
    if (await page.evaluate((it) => document.activeElement?.matches(it), selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${selector} is not reached by the Tab key`);
}
