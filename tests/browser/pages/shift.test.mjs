// The shift: the daily list, handover, rota, absences, planned work.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
const DAY_MS = 86_400_000;
const day = (n) => new Date(Date.now() + n * DAY_MS).toISOString().slice(0, 10);

describe('the shift', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser('relief', 'noc');
    await server.addUser('head', 'admin');
    await server.report('GX-0001', 300);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (view, more = {}) =>
    openBoard(browser, server.url, {
      ...CREDENTIALS,
      path: `/#/shift${view && `?view=${view}`}`,
      timezoneId: 'UTC',
      ...more,
    });

  it('hands over by keyboard; nobody relieves oneself; the relief signs, a superior reviews', async () => {
    const page = await open('handover');
    await page.locator('#handover-words').focus();
    await page.keyboard.type('sample: watch GX-0001');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('[data-waiting]').waitFor();
    assert.equal(await page.locator('[data-sign]').count(), 0, 'nobody relieves oneself');
    await page.locator('[data-handover] [data-item]').first().waitFor();

    const relief = await open('handover', { user: 'relief' });
    await relief.locator('[data-sign]').click();
    await relief.locator('[data-leave]').waitFor();
    const head = await open('handover', { user: 'head' });
    await head.locator('[data-review]').click();
    await head.locator('[data-review]').waitFor({ state: 'detached' });
    const [kept] = (await server.api('GET', '/handovers')).items;
    assert.deepEqual(
      [kept.left_by, kept.taken_by, kept.reviewed_by, kept.words],
      [USER, 'relief', 'head', 'sample: watch GX-0001'],
    );
    assert.deepEqual([...page.problems, ...relief.problems, ...head.problems], []);
  });

  it('writes a month’s rota, wrong and right; a superior approves it', async () => {
    // The rota's month begins and ends in the desk's time zone.
    const page = await open('rota', { timezoneId: 'Asia/Shanghai' });
    const month = await page.locator('h2[data-month]').getAttribute('data-month');
    await page.locator('[data-write]').click();
    await page.locator('[data-rota-form] button.solid').click();
    await page.locator('[data-rota-form] .error').waitFor();
    await page.fill('#rota-people', 'sample one, sample two');
    await page.locator('[data-fill]').click();
    await page.locator('[data-rota-form] button.solid').click();
    await page.locator('table[data-rota]').waitFor();
    const kept = await server.api('GET', `/rota/${month}`);
    assert.ok(kept.shifts.length >= 56);
    await page.locator('[data-on-duty] b', { hasText: 'sample' }).waitFor();

    const head = await open('rota', { user: 'head' });
    await head.locator('[data-approve]').click();
    await head.locator('[data-approved]').waitFor();
    assert.equal((await server.api('GET', `/rota/${month}`)).approved_by, 'head');
    assert.deepEqual([...page.problems, ...head.problems], []);
  });

  it('notes who is away, and who is back', async () => {
    const page = await open('absences');
    await page.fill('#away-person', 'manager-east');
    await page.locator('[data-panel=absence] button.solid').click();
    await page.locator('[data-panel=absence] .error').waitFor();
    await page.fill('#away-until', `${day(3)}T08:00`);
    await page.locator('[data-panel=absence] button.solid').click();
    const row = page.locator('tr[data-absence=manager-east]');
    await row.waitFor();
    await row.getByRole('button').click();
    await row.waitFor({ state: 'detached' });
    assert.deepEqual((await server.api('GET', '/absences')).items, []);
    assert.deepEqual(page.problems, []);
  });

  it('applies for work, announces it, calls it off', async () => {
    const page = await open('work');
    await page.locator('[data-add-work]').click();
    await page.fill('#work-reason', 'sample: new cable');
    await page.fill('#work-lines', 'GX-0001 GX-9999');
    await page.fill('#work-from', `${day(3)}T01:00`);
    await page.fill('#work-to', `${day(3)}T03:00`);
    await page.locator('[data-form=work] button.solid').click();
    await page.locator('[data-form=work] .error', { hasText: 'GX-9999' }).waitFor();
    await page.fill('#work-lines', 'GX-0001, GX-0002');
    await page.locator('[data-form=work] button.solid').click();
    const work = page.locator('[data-work]');
    await work.locator('[data-exempt=false]').waitFor();
    await work.locator('[data-announce]').click();
    await work.locator('[data-exempt=true]').waitFor();
    await work.locator('[data-cancel]').click();
    await work.locator('[data-cancel-sure]').click();
    await page.locator('[data-stage=cancelled]').waitFor();
    const [kept] = (await server.api('GET', '/planned-work')).items;
    assert.ok(kept.announced_at && kept.cancelled_at);
    assert.deepEqual(page.problems, []);
  });

  it('lists what is open per owner, in Chinese, accessible in both themes and on a phone', async () => {
    for (const colorScheme of ['light', 'dark']) {
      for (const view of ['', 'handover', 'rota', 'absences', 'work']) {
        const page = await open(view, { locale: 'zh-CN', colorScheme });
        await page.getByRole('heading', { name: '值班', exact: true }).waitFor();
        await until(async () => !(await page.getByText('正在加载…').count()), 'the view to be there');
        if (!view) await page.locator('[data-owner=manager-east] [data-item]').waitFor();
        assert.deepEqual(await graveFindings(page), [], view);
        await page.setViewportSize({ width: 390, height: 844 });
        const isSideways = () =>
          document.documentElement.scrollWidth > innerWidth ||
          document.querySelector('main').scrollWidth > document.querySelector('main').clientWidth;
        assert.equal(await page.evaluate(isSideways), false, view);
        if (!view) {
          await page.fill('#daily-day', '2020-01-01');
          await page.getByText('2020-01-01 没有留存清单').waitFor();
        }
        assert.deepEqual(page.problems, []);
        await page.context().close();
      }
    }
  });
});
