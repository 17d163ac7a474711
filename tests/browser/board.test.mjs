// The board in a real browser, before a real server.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { launch, openBoard, row, secondsLeft } from './lib/browser.mjs';
import { PASSWORD, USER, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
const THREE_HOURS_MS = 3 * 3_600_000;
/** How far a countdown may be from the truth: it shows whole seconds, and reading it takes a moment. */
const TOLERANCE_S = 2;

describe('the board', () => {
  let browser;
  let server;

  before(async () => (browser = await launch()));
  after(async () => browser?.close());
  beforeEach(async () => (server = await startServer()));
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server?.stop();
  });

  const state = (page, line) => row(page, line).locator('[data-state]').getAttribute('data-state');
  const reaches = (page, line, wanted) =>
    until(async () => (await state(page, line)) === wanted, `${line} to be shown as ${wanted}`);

  it('shows a reported fault without a reload, counts down, and outlives its server', async () => {
    const [line, other] = await server.lines();
    const desk = await openBoard(browser, server.url, CREDENTIALS);
    await desk.evaluate(() => (globalThis.neverReloaded = true));
    assert.equal(await row(desk, line).count(), 0);

    const fault = await server.report(line);
    await row(desk, line).waitFor({ timeout: 5_000 });
    await countsDown(desk, line, fault.restoration.due_at);

    // A second viewer, half the world away, with a clock that is three hours wrong.
    const second = await openBoard(browser, server.url, {
      ...CREDENTIALS,
      clockOffMs: THREE_HOURS_MS,
      timezoneId: 'America/New_York',
    });
    await row(second, line).waitFor();
    await countsDown(second, line, fault.restoration.due_at);

    await row(desk, line).locator('[data-step=acknowledged]').click();
    await reaches(desk, line, 'acknowledged');
    await reaches(second, line, 'acknowledged');
    assert.equal((await server.api('GET', `/faults/${fault.id}`)).state, 'acknowledged');

    await server.kill();
    for (const page of [desk, second]) await page.locator('[data-banner=cut]').waitFor({ timeout: 10_000 });
    assert.equal(await row(desk, line).count(), 1, 'what was known stays on the board');
    assert.equal(await desk.locator('[data-link]').getAttribute('data-link'), 'cut');

    await server.start();
    for (const page of [desk, second]) {
      await page.locator('[data-link=live]').waitFor({ timeout: 20_000 });
      await page.locator('[data-banner=cut]').waitFor({ state: 'detached' });
    }
    await reaches(desk, line, 'acknowledged');
    await server.report(other);
    for (const page of [desk, second]) await row(page, other).waitFor({ timeout: 5_000 });
    assert.equal(await desk.evaluate(() => globalThis.neverReloaded), true, 'the page was reloaded');
    assert.deepEqual([...desk.problems, ...second.problems], []);
  });

  it('takes a fault from the report to its close by hand', async () => {
    const [line] = await server.lines();
    const page = await openBoard(browser, server.url, CREDENTIALS);
    await reportByForm(page, line);
    await reaches(page, line, 'open');

    for (const step of ['acknowledged', 'dispatched']) {
      await take(page, step);
      await reaches(page, line, step);
    }
    await take(page, 'feedback', 'reached', 'yes');
    await page.locator('[data-fact=feedback]').waitFor();
    for (const step of ['restored', 'repaired']) {
      await take(page, step);
      await reaches(page, line, step);
    }
    assert.equal(await secondsLeft(page, line, 'restoration'), null, 'nothing is left to restore');
    await take(page, 'callback', 'reached', 'yes', 'result', 'satisfied');
    await row(page, line).waitFor({ state: 'detached' });
    assert.deepEqual(page.problems, []);
  });

  it('is worked by keys alone', async () => {
    const [line, other] = await server.lines();
    await server.report(line);
    await server.report(other);
    const page = await openBoard(browser, server.url, CREDENTIALS);
    await row(page, other).waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-line'));
    await page.keyboard.press('j');
    const first = await until(focused, 'a row to have the focus');
    await page.keyboard.press('ArrowDown');
    await until(async () => ![null, first].includes(await focused()), 'the next row to have the focus');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.locator('aside[data-drawer]', { hasText: first }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('aside[data-drawer]').waitFor({ state: 'detached' });
    assert.equal(await focused(), first);
    await page.keyboard.press('?');
    await page.locator('dialog[open]').waitFor();
  });

  it('turns a wrong password away in words, and speaks Chinese when asked to', async () => {
    const page = await (await browser.newContext({ locale: 'en-GB' })).newPage();
    await page.goto(server.url);
    await page.fill('input[name=user]', USER);
    await page.fill('input[name=password]', 'wrong');
    await page.click('form button.solid');
    await page.locator('[role=alert]', { hasText: 'password is wrong' }).waitFor();
    await page.click('button:has-text("中文")');
    await page.locator('h1', { hasText: '登录故障看板' }).waitFor();
    await page.reload();
    await page.locator('h1', { hasText: '登录故障看板' }).waitFor();
  });
});

/** The countdown shows what is left until the due time, and goes on by itself. */
async function countsDown(page, line, dueAt) {
  const first = await until(() => secondsLeft(page, line, 'restoration'), 'a restoration countdown');
  const truth = (Date.parse(dueAt) - Date.now()) / 1000;
  assert.ok(Math.abs(first - truth) <= TOLERANCE_S, `shows ${first} s, ${truth.toFixed(1)} s are left`);
  await until(
    async () => (await secondsLeft(page, line, 'restoration')) <= first - 2,
    'the countdown to go on',
    5_000,
  );
}

async function reportByForm(page, line) {
  await page.keyboard.press('n');
  await page.fill('#report-line', line);
  await page.locator('#report-lines [role=option]', { hasText: line }).click();
  await page.fill('#report-reporter', 'duty desk');
  await page.fill('#report-description', 'sample report');
  await page.click('dialog button.solid');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await row(page, line).waitFor();
}

/** Chooses a step in the drawer, fills its choices and saves it: `name, value, name, value …`. */
async function take(page, step, ...pairs) {
  await page.click(`[data-choose=${step}]`);
  const form = page.locator(`[data-form=${step}]`);
  for (let i = 0; i < pairs.length; i += 2) {
    const radio = form.locator(`input[name=${pairs[i]}][value=${pairs[i + 1]}]`);
    await radio.locator('xpath=..').click();
  }
  await form.locator('button.solid').click();
  await form.waitFor({ state: 'detached' });
}
