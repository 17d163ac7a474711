// The wallboard: nobody touches it, and it stays right.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const WALL = { user: USER, password: PASSWORD, path: '/#/wall', viewport: { width: 1920, height: 1080 } };
const LINES = 11;
const LINES_CSV = [
  'code,customer,site,service',
  ...Array.from({ length: LINES }, (_, i) => `W-${String(i + 1).padStart(2, '0')},C001,sample hall,internet`),
].join('\n');
/** A page of rows stands for 12 s; what slips first comes back every second time. */
const TURNS_MS = 40_000;
const WEEK_MS = 7 * 24 * 3_600_000;

describe('the wallboard', () => {
  let browser;
  let server;

  before(async () => (browser = await launch()));
  after(async () => browser?.close());
  beforeEach(async () => (server = await startServer({ lines: `${LINES_CSV}\n` })));
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server?.stop();
  });

  const line = (page, code) => page.locator(`[data-wall-line="${code}"]`);
  const sum = (page, name) => page.locator(`[data-sum=${name}] dd`).innerText();
  const mark = (page) => page.evaluate(() => (globalThis.neverReloaded = true));
  const isMarked = (page) => page.evaluate(() => globalThis.neverReloaded === true);

  it('counts, shows what slips first, and turns its pages', async () => {
    for (let i = 1; i <= LINES; i += 1) await server.report(`W-${String(i).padStart(2, '0')}`, 150 - i);
    const page = await openBoard(browser, server.url, WALL);
    await line(page, 'W-01').waitFor();
    assert.deepEqual([await sum(page, 'open'), await sum(page, 'missed')], ['11', '11']);
    assert.equal(await page.locator('[data-wall-line]').count(), 8);
    await line(page, 'W-11').waitFor({ timeout: TURNS_MS });
    assert.equal(await page.locator('[data-wall-line]').count(), LINES - 8);
    await line(page, 'W-01').waitFor({ timeout: TURNS_MS });
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(page.problems, []);
  });

  it('stays signed in as a screen, which reads the board alone', async () => {
    const page = await openBoard(browser, server.url, WALL);
    await page.locator('[data-wall]').waitFor();
    const statuses = await page.evaluate(() =>
      Promise.all(
        ['board', 'customers', 'faults'].map(async (path) => (await fetch(`/api/v1/${path}`)).status),
      ),
    );
    assert.deepEqual(statuses, [200, 403, 403]);
    const cookie = (await page.context().cookies()).find((it) => it.name.includes('session'));
    assert.ok(cookie.expires > Date.now() / 1000 + 300 * 86_400, 'the browser keeps it over a restart');
    assert.equal(cookie.httpOnly, true);
  });

  it('says when it is cut off, and finds its server again', async () => {
    await server.report('W-01', 1);
    const page = await openBoard(browser, server.url, WALL);
    await line(page, 'W-01').waitFor();
    await mark(page);
    await server.kill();
    await page.locator('[data-alarm=cut]', { hasText: 'CUT OFF since' }).waitFor();
    await server.start();
    await page.locator('[data-link=live]').waitFor({ timeout: 20_000 });
    await server.report('W-02', 1);
    await line(page, 'W-02').waitFor();
    assert.equal(await page.locator('[data-alarm]').count(), 0);
    assert.equal(await isMarked(page), true, 'the same server needs no reload');
  });

  it('loads the page anew when the server serves another one', async () => {
    const page = await openBoard(browser, server.url, WALL);
    await mark(page);
    const served = async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(/src="[^"]+\.js"/, 'src="/assets/other.js"');
      await route.fulfill({ response, body });
    };
    await page.route(`${server.url}/`, served, { times: 1 });
    await server.kill();
    await page.locator('[data-alarm=cut]').waitFor();
    await server.start();
    await until(async () => !(await isMarked(page)), 'the page to load anew', 20_000);
    await page.locator('[data-wall][data-link=live]').waitFor();
  });

  it('begins by itself when its server is late', async () => {
    const page = await openBoard(browser, server.url, WALL);
    await page.route('**/api/v1/session', (route) => route.abort(), { times: 1 });
    await page.reload();
    await page.locator('[data-wall][data-link=live]').waitFor({ timeout: 20_000 });
  });

  it('says in large letters that the engine is late, in Chinese too', async () => {
    const page = await openBoard(browser, server.url, {
      ...WALL,
      locale: 'zh-CN',
      changeBoard: (board) => Object.assign(board, { engine: { alive: true, lag_ms: 65_000 } }),
      withoutTicks: true,
    });
    await page.locator('[data-alarm=engine]', { hasText: '时限引擎滞后 1分' }).waitFor();
  });

  it('is right at once after a week of sleep', async () => {
    const fault = await server.report('W-01', 1);
    const context = { ...WALL, withClock: true };
    const page = await openBoard(browser, server.url, context);
    await line(page, 'W-01').waitFor();
    await page.clock.fastForward(WEEK_MS);
    await server.step(fault.id, 'acknowledged', 0);
    await line(page, 'W-01').filter({ hasText: 'Acknowledged' }).waitFor({ timeout: 5_000 });
    await page.locator('[data-link=live]').waitFor();
    const left = await line(page, 'W-01').locator('[data-left]').innerText();
    assert.match(left, /^2[89]:\d\d$/, `half an hour for feedback, counted from now: ${left}`);
  });
});
