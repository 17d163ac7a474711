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

  it('opens the fault that its address names, also after the sign-in and when it is closed', async () => {
    const [line, other] = await server.lines();
    const closed = await server.report(line, 60);
    const steps = [
      ['restored', 50],
      ['repaired', 40],
      ['callback', 30, { reached: true, result: 'satisfied' }],
    ];
    for (const [kind, minutes, fields] of steps) await server.step(closed.id, kind, minutes, fields);
    const open = await server.report(other);

    const page = await openBoard(browser, server.url, { ...CREDENTIALS, path: `/#/faults/${closed.id}` });
    await drawer(page, closed.id).locator('[data-fact=callback]').waitFor();
    assert.equal(await drawer(page, closed.id).locator('[data-state]').getAttribute('data-state'), 'closed');
    assert.equal(await row(page, line).count(), 0, 'a closed fault is not on the board');

    await row(page, other).click();
    await drawer(page, open.id).waitFor();
    assert.equal(await hash(page), `#/faults/${open.id}`);
    await page.keyboard.press('Escape');
    await drawer(page, open.id).waitFor({ state: 'detached' });
    assert.equal(await hash(page), '');

    await page.evaluate((id) => (location.hash = `#/faults/${id}`), closed.id);
    await drawer(page, closed.id).waitFor();
    await page.goBack();
    await page.locator('aside[data-drawer]').waitFor({ state: 'detached' });
    await page.evaluate(() => (location.hash = '#/faults/00000000-0000-0000-0000-000000000000'));
    await page.locator('aside [role=alert]', { hasText: /there is no fault/i }).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('drops an answer that finds its fault closed', async () => {
    const [line] = await server.lines();
    const { id } = await server.report(line);
    const page = await openBoard(browser, server.url, CREDENTIALS);
    let arrived;
    const asked = new Promise((resolve) => (arrived = resolve));
    await page.route(`**/api/v1/faults/${id}`, (route) => arrived(route));
    await row(page, line).click();
    const held = await asked;
    await page.keyboard.press('Escape');
    await drawer(page, id).waitFor({ state: 'detached' });

    const answered = page.waitForResponse((response) => response.url().endsWith(id));
    await held.continue();
    await (await answered).finished();
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
    assert.deepEqual(page.problems, []);
  });

  it('follows a fault that an earlier report gives another id', async () => {
    const [line] = await server.lines();
    const late = await server.report(line, 5);
    const page = await openBoard(browser, server.url, CREDENTIALS);
    await row(page, line).click();
    await drawer(page, late.id).waitFor();
    await page.click('[data-choose=note]');
    await page.fill('#step-text', 'half a word');

    const early = await server.report(line, 25);
    assert.notEqual(early.id, late.id);
    await drawer(page, early.id).locator('[data-fact=reported]').nth(1).waitFor();
    assert.equal(await row(page, line).count(), 1, 'the fault stands on the board once');
    assert.equal(await hash(page), `#/faults/${early.id}`);
    assert.equal(await page.inputValue('#step-text'), 'half a word', 'what was typed is kept');
    await page.goto('about:blank');
    await page.goto(`${server.url}/#/faults/${late.id}`);
    await drawer(page, early.id).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('offers the causes of the pack, and how a fault came to be open again', async () => {
    const [line] = await server.lines();
    const fault = await server.report(line, 30);
    const page = await openBoard(browser, server.url, CREDENTIALS);
    await row(page, line).click();
    await page.click('[data-choose=paused]');
    const form = page.locator('[data-form=paused]');
    await form.locator('select[name=cause]').selectOption({ label: 'Customer asks to hold' });
    await form.locator('#step-reason').fill('sample reason');
    await form.locator('#step-until').fill('2099-01-01T00:00:00');
    await form.locator('#step-evidence').fill('sample mail');
    await form.locator('button.solid').click();
    await form.waitFor({ state: 'detached' });
    await page.locator('[data-fact=paused]', { hasText: 'Customer asks to hold' }).waitFor();
    await take(page, 'resumed');
    await take(page, 'restored');
    await reaches(page, line, 'restored');

    await page.click('[data-choose=reopened]');
    await page.locator('[data-form=reopened] #step-reason').fill('sample: still nothing');
    await take(page, null, 'case', 'never_came_back');
    await page.locator('[data-fact=reopened]').waitFor();
    const { facts } = await server.api('GET', `/faults/${fault.id}`);
    assert.equal(facts.find((fact) => fact.kind === 'reopened').case, 'never_came_back');
    assert.equal(facts.find((fact) => fact.kind === 'paused').cause, 'customer_hold');

    for (const step of ['restored', 'repaired']) await take(page, step);
    await take(page, 'callback', 'reached', 'yes', 'result', 'unsatisfied', 'service', 'down');
    await page.locator('[data-fact=callback]', { hasText: 'Still down' }).waitFor();
    const after = await server.api('GET', `/faults/${fault.id}`);
    assert.equal(after.restored_at, null, 'a service that is still down is not restored');
    assert.deepEqual(page.problems, []);
  });

  it('proposes the time at which evidence saw the line come back', async () => {
    const [line] = await server.lines();
    const fault = await server.report(line, 30);
    const backAt = new Date(Date.now() - 10 * 60_000 - 1).toISOString();
    const page = await openBoard(browser, server.url, {
      ...CREDENTIALS,
      // The server proposes it from an agent's evidence; there is no agent here.
      changeBoard: (board) => board.faults.forEach((it) => (it.proposed_restored_at = backAt)),
    });
    await row(page, line).locator('small', { hasText: 'back since' }).waitFor();
    await row(page, line).locator('[data-step=restored]').click();
    await page.locator('[data-proposed]').waitFor();
    await page.locator('[data-form=restored] button.solid').click();
    await reaches(page, line, 'restored');
    const after = await server.api('GET', `/faults/${fault.id}`);
    assert.equal(Date.parse(after.restored_at), Date.parse(backAt));
  });

  it('says when the deadline engine is not to be trusted', async () => {
    for (const [engine, words] of [
      [{ alive: false, lag_ms: 0 }, 'not running'],
      [{ alive: true, lag_ms: 65_000 }, '1 min late'],
    ]) {
      const page = await openBoard(browser, server.url, {
        ...CREDENTIALS,
        changeBoard: (board) => Object.assign(board, { engine }),
        withoutTicks: true,
      });
      await page.locator('[data-banner=engine]', { hasText: words }).waitFor();
    }
    const page = await openBoard(browser, server.url, CREDENTIALS);
    assert.equal(await page.locator('[data-banner=engine]').count(), 0);
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

const drawer = (page, id) => page.locator(`aside[data-drawer="${id}"]`);
const hash = (page) => page.evaluate(() => location.hash);

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
  await page.locator('#report-line-list [role=option]', { hasText: line }).click();
  await page.fill('#report-reporter', 'duty desk');
  await page.fill('#report-description', 'sample report');
  await page.click('dialog button.solid');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await row(page, line).waitFor();
}

/** Chooses a step in the drawer (null: it is chosen), makes its choices and saves it: `name, value, …`. */
async function take(page, step, ...pairs) {
  if (step) await page.click(`[data-choose=${step}]`);
  const form = page.locator(step ? `[data-form=${step}]` : '[data-form]');
  for (let i = 0; i < pairs.length; i += 2) {
    const radio = form.locator(`input[name=${pairs[i]}][value=${pairs[i + 1]}]`);
    await radio.locator('xpath=..').click();
  }
  await form.locator('button.solid').click();
  await form.waitFor({ state: 'detached' });
}
