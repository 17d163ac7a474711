// What of the board is shown, and what keeps it right: views, planned work, nodes, sound, sleep, two at one fault.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard, row, secondsLeft } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
const HOUR_MS = 3_600_000;
const CUSTOMERS = `code,name,tier,region,manager,manager_email
C001,样例银行 Sample Bank,AAA,城东,manager-east,manager-east@example.invalid
C002,样例学院 Sample College,A,城西,manager-west,manager-west@example.invalid
`;
const LINES = `code,customer,site,service,upstream
GX-0001,C001,sample hall 1,internet,NODE-1
GX-0002,C001,sample hall 2,internet,NODE-1
GX-0003,C002,sample library,internet,
`;

describe('the board', () => {
  let browser;
  let server;

  before(async () => (browser = await launch()));
  after(async () => browser?.close());
  beforeEach(async () => (server = await startServer({ customers: CUSTOMERS, lines: LINES })));
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server?.stop();
  });

  const open = (options = {}) => openBoard(browser, server.url, { ...CREDENTIALS, ...options });
  const shown = (page) =>
    page.locator('tr[data-line]').evaluateAll((rows) => rows.map((it) => it.dataset.line).sort());
  const shows = (page, lines) =>
    until(async () => (await shown(page)).join() === lines.join(), `${lines} to be shown`);
  const hash = (page) => page.evaluate(() => location.hash);

  it('is narrowed by tier, owner and state; keeps views by name, also in the address', async () => {
    for (const line of ['GX-0001', 'GX-0003']) await server.report(line, 1);
    const page = await open();
    await shows(page, ['GX-0001', 'GX-0003']);
    await page.selectOption('select[aria-label=Tier]', 'AAA');
    await shows(page, ['GX-0001']);
    assert.equal(await hash(page), '#/?tier=AAA');
    assert.match(await page.locator('[data-filter=all]').innerText(), /^1/, 'figures are of what is chosen');
    await page.selectOption('select[aria-label=Tier]', '');
    await page.selectOption('select[aria-label=Owner]', 'manager-west');
    await shows(page, ['GX-0003']);

    await page.locator('[data-views] summary').click();
    await page.fill('#view-name', 'the west');
    await page.keyboard.press('Enter');
    await page.locator('[data-views] summary', { hasText: 'the west' }).waitFor();
    await page.selectOption('select[aria-label=State]', 'dispatched');
    await page.locator('text=No open fault matches the filter').waitFor();
    await page.click('button:has-text("Show all")');
    await shows(page, ['GX-0001', 'GX-0003']);

    await page.reload();
    await page.locator('[data-views] summary').click();
    await page.click('[data-view="the west"]');
    await shows(page, ['GX-0003']);
    await row(page, 'GX-0003').click();
    await page.locator('aside[data-drawer]').waitFor();
    assert.match(await hash(page), /^#\/faults\//);
    await page.keyboard.press('Escape');
    assert.equal(await hash(page), '#/?owner=manager-west', 'the view is kept while a fault is open');
    await page.reload();
    await shows(page, ['GX-0003']);

    await page.selectOption('select[aria-label=Owner]', '@me');
    await page.locator('text=No open fault matches the filter').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(page.problems, []);
  });

  it('is narrowed to a region, also in a kept view and on the wall', async () => {
    for (const line of ['GX-0001', 'GX-0003']) await server.report(line, 1);
    const page = await open();
    await shows(page, ['GX-0001', 'GX-0003']);
    await page.selectOption('select[aria-label=Region]', '城西');
    await shows(page, ['GX-0003']);
    assert.equal(await hash(page), `#/?region=${encodeURIComponent('城西')}`);
    await page.locator('[data-views] summary').click();
    await page.fill('#view-name', 'western desk');
    await page.keyboard.press('Enter');
    await page.selectOption('select[aria-label=Region]', '城东');
    await shows(page, ['GX-0001']);
    // What begins elsewhere stays out of sight, what begins here comes.
    await server.report('GX-0002', 1);
    await shows(page, ['GX-0001', 'GX-0002']);
    await page.locator('[data-views] summary').click();
    await page.click('[data-view="western desk"]');
    await shows(page, ['GX-0003']);
    const wall = await open({ path: `/#/wall?region=${encodeURIComponent('城西')}` });
    await wall.locator('[data-wall-line="GX-0003"]').waitFor();
    assert.equal(await wall.locator('[data-wall-line]').count(), 1);
    assert.match(await wall.locator('[data-narrowed]').innerText(), /Only: 城西/);
    assert.deepEqual(page.problems, []);
  });

  it('has planned work in sight', async () => {
    const at = (ms) => new Date(Date.now() + ms).toISOString();
    await server.api('POST', '/planned-work', {
      reason: 'sample cut-over',
      lines: ['GX-0003'],
      from: at(-HOUR_MS),
      to: at(HOUR_MS),
    });
    const page = await open();
    await page.locator('[data-dock-part=planned]', { hasText: 'sample cut-over' }).waitFor();
    await page.locator('[data-dock-part=planned]', { hasText: 'not exempt' }).waitFor();
  });

  it('gives one word to all customers of a node', async () => {
    for (const line of ['GX-0001', 'GX-0002', 'GX-0003']) await server.report(line, 2);
    const page = await open();
    await page.click('[data-tell=NODE-1]');
    await page.locator('dialog[open] button.solid').click();
    await page.locator('dialog [role=alert]').waitFor();
    await page.fill('dialog textarea', 'sample word to all');
    await page.locator('dialog[open] button.solid').click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    const page2 = await server.api('GET', '/board');
    for (const { line, id } of page2.faults) {
      const { facts } = await server.api('GET', `/faults/${id}`);
      const told = facts.filter((fact) => fact.kind === 'feedback').length;
      assert.equal(told, line === 'GX-0003' ? 0 : 1, line);
    }
  });

  it('sounds when it was allowed to, for what is new and what is late; mute ends', async () => {
    const page = await open({ withClock: true });
    await page.evaluate(() => {
      globalThis.tones = 0;
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...args) {
        globalThis.tones += 1;
        return start.apply(this, args);
      };
    });
    const tones = () => page.evaluate(() => globalThis.tones);
    await server.report('GX-0001', 1);
    await row(page, 'GX-0001').waitFor();
    assert.equal(await tones(), 0, 'off until allowed');

    await page.click('[data-sound=off] button');
    await until(async () => (await tones()) > 0, 'the trial tone');
    const afterTrial = await tones();
    await server.report('GX-0002', 1);
    await until(async () => (await tones()) > afterTrial, 'a tone for the new fault');

    await page.click('[data-sound=on] button >> nth=1');
    await page.locator('[data-sound=muted]', { hasText: /Muted 1[45]:/ }).waitFor();
    const whenMuted = await tones();
    await server.report('GX-0003', 1);
    await row(page, 'GX-0003').waitFor();
    assert.equal(await tones(), whenMuted);
    await page.clock.fastForward(15 * 60_000 + 2_000);
    await page.locator('[data-sound=on]').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('is right at once after an hour of sleep', async () => {
    const fault = await server.report('GX-0001', 1);
    const page = await open({ withClock: true });
    await row(page, 'GX-0001').waitFor();
    const whole = await secondsLeft(page, 'GX-0001', 'restoration');
    await page.clock.fastForward(HOUR_MS);
    await server.step(fault.id, 'acknowledged', 0);
    await row(page, 'GX-0001').locator('[data-state=acknowledged]').waitFor({ timeout: 5_000 });
    const left = await secondsLeft(page, 'GX-0001', 'restoration');
    assert.ok(Math.abs(whole - left) < 30, `${whole} s before, ${left} s after: the server's clock counts`);
  });

  it('comes back from being frozen', async () => {
    const fault = await server.report('GX-0001', 1);
    const page = await open();
    await row(page, 'GX-0001').waitFor();
    const tools = await page.context().newCDPSession(page);
    await tools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await server.step(fault.id, 'acknowledged', 0);
    await server.report('GX-0003', 1);
    await tools.send('Page.setWebLifecycleState', { state: 'active' });
    await row(page, 'GX-0001').locator('[data-state=acknowledged]').waitFor({ timeout: 5_000 });
    await row(page, 'GX-0003').waitFor({ timeout: 5_000 });
  });

  it('lets two people act on one fault, and tells the second how it stands', async () => {
    const fault = await server.report('GX-0001', 1);
    const [first, second] = [await open(), await open({ withoutTicks: true })];
    const button = (page) => row(page, 'GX-0001').locator('[data-step=acknowledged]');
    await button(second).waitFor();
    await button(first).click();
    await row(first, 'GX-0001').locator('[data-state=acknowledged]').waitFor();
    // The second has heard nothing yet, and does the same.
    await button(second).click();
    await row(second, 'GX-0001').locator('[data-state=acknowledged]').waitFor();
    const { facts, state } = await server.api('GET', `/faults/${fault.id}`);
    assert.equal(state, 'acknowledged');
    assert.equal(facts.filter((fact) => fact.kind === 'acknowledged' && !fact.misfit).length, 1);
  });

  it('fits a phone with its choices, in Chinese', async () => {
    await server.report('GX-0001', 1);
    const page = await open({ locale: 'zh-CN', viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    await row(page, 'GX-0001').waitFor();
    await page.selectOption('select[aria-label=责任人]', { label: 'manager-east' });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    assert.deepEqual(await graveFindings(page), []);
  });
});
