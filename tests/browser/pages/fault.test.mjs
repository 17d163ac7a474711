// The page of one fault.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard, row } from '../lib/browser.mjs';
import { withMinutes } from '../lib/minutes.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
const SUPERVISOR = { user: 'supervisor', password: PASSWORD };

describe("a fault's page", () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser(SUPERVISOR.user, 'admin');
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = async (fault, viewer = {}) => {
    const path = `/#/fault/${fault.id}`;
    const page = await openBoard(browser, server.url, { ...CREDENTIALS, path, ...viewer });
    await page.locator(`[data-fault-page="${fault.id}"]`).waitFor();
    return page;
  };
  const panel = (page, name) => page.locator(`[data-panel=${name}]`);
  const rare = async (page, kind) => {
    await page.click(`[data-rare=${kind}]`);
    return page.locator(`form[data-form=${kind}]`);
  };
  /** A fault of a line that was restored; the next report begins a new one once it is confirmed. */
  const past = async (line, minutes) => {
    const fault = await server.report(line, minutes);
    await server.step(fault.id, 'restored', minutes - 10);
    await server.step(fault.id, 'repaired', minutes - 12);
    await server.step(fault.id, 'callback', minutes - 15, { reached: true, result: 'satisfied' });
    return fault;
  };

  it('opens from the board, and keeps what the customer was told', async () => {
    const fault = await server.report('GX-0001', 31);
    const page = await openBoard(browser, server.url, CREDENTIALS);
    await row(page, 'GX-0001').click();
    await page.click('[data-open-page]');
    await page.locator(`[data-fault-page="${fault.id}"]`).waitFor();
    assert.match(await page.locator('[data-clock=restoration]').innerText(), /3[12] min of 2 h used/);
    assert.match(await page.locator('[data-clock=outage]').innerText(), /3[12] min/);

    await page.click('[data-choose=feedback]');
    await page.click('form[data-form=feedback] button.solid');
    assert.match(await page.locator('form[data-form=feedback] [role=alert]').innerText(), /Please fill in/);
    await page.locator('form[data-form=feedback]').getByText('Reached', { exact: true }).click();
    await page.fill('#step-note', 'A splicer is on the way');
    await page.click('form[data-form=feedback] button.solid');
    await panel(page, 'told').getByText('A splicer is on the way').waitFor();
    await panel(page, 'timeline').locator('[data-fact=feedback]').waitFor();
    assert.equal(await panel(page, 'rare').locator('[data-rare=rerated]').count(), 0, 'not the desk itself');
    assert.deepEqual(page.problems, []);
  });

  it('plots the minutes, zooms in, and has the bursts as a table', async () => {
    const fault = await server.report('GX-0002', 45);
    const startedMs = Date.parse(fault.started_at);
    const page = await openBoard(browser, server.url, CREDENTIALS);
    await withMinutes(page, 'GX-0002', (at) => (at > startedMs && at < startedMs + 20 * 60_000 ? 60 : 0));
    await page.evaluate((id) => (location.hash = `#/fault/${id}`), fault.id);
    const evidence = panel(page, 'evidence');
    await evidence.locator('canvas').waitFor();
    const whole = await evidence.locator('[data-sum]').innerText();
    assert.match(whole, /1,[0-3]\d\d of 4,\d\d\d probes lost/);

    const box = await evidence.locator('.u-over').boundingBox();
    await page.mouse.move(box.x + box.width * 0.1, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.3, box.y + 40, { steps: 4 });
    await page.mouse.up();
    await until(async () => (await evidence.locator('[data-sum]').innerText()) !== whole, 'the zoom to show');
    await page.locator('[data-span=unzoom]').click();
    await until(async () => (await evidence.locator('[data-sum]').innerText()) === whole, 'the whole again');

    await evidence.locator('[data-bursts] summary').click();
    assert.match(await evidence.locator('[data-bursts] tbody').innerText(), /20 min/);
    await page.mouse.move(box.x + box.width / 2, box.y + 40);
    await evidence.locator('[data-point]').waitFor();
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await graveFindings(page), [], colorScheme);
    }
    assert.deepEqual(page.problems, []);
  });

  it('merges two faults, and splits them again', async () => {
    const earlier = await past('GX-0003', 90);
    const later = await server.report('GX-0003', 20);
    const page = await open(later);
    const merge = await rare(page, 'merged');
    await merge.locator('button.solid').click();
    await merge.locator('[role=alert]').waitFor();
    await merge.locator('select').selectOption(earlier.id);
    await merge.locator('button.solid').click();
    await page.locator(`[data-fault-page="${earlier.id}"]`).waitFor();
    await panel(page, 'timeline').locator('[data-fact=merged]').waitFor();

    const split = await rare(page, 'split');
    await split.locator('button.solid').click();
    await split.locator('[role=alert]').waitFor();
    await split.locator('input[type=checkbox]').last().check();
    await split.locator('button.solid').click();
    await panel(page, 'timeline').locator('[data-fact=split]').waitFor();
    assert.equal((await server.api('GET', `/faults/${later.id}`)).id, later.id);
    assert.deepEqual(page.problems, []);
  });

  it('lets a supervisor re-rate, and close without the customer', async () => {
    const fault = await server.report('GX-0003', 5);
    const page = await open(fault, { ...SUPERVISOR, locale: 'zh-CN' });
    await page.getByRole('heading', { name: 'GX-0003 故障' }).waitFor();
    const reRate = await rare(page, 'rerated');
    await reRate.locator('select').selectOption('AAA');
    await reRate.locator('button.solid').click();
    assert.match(await reRate.locator('[role=alert]').innerText(), /请填写：理由/);
    await reRate.locator('textarea').fill('重要保障期');
    await reRate.locator('button.solid').click();
    await panel(page, 'timeline').locator('[data-fact=rerated]').waitFor();
    assert.match(await panel(page, 'particulars').innerText(), /AAA/);

    await server.step(fault.id, 'restored', 0);
    const close = await rare(page, 'closed_unconfirmed');
    await close.locator('textarea').fill('三次回访未联系上');
    await close.locator('button.solid').click();
    await page.locator('main [data-state=closed_unconfirmed]').waitFor();
    assert.equal((await server.api('GET', `/faults/${fault.id}`)).state, 'closed_unconfirmed');
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(page.problems, []);
  });

  it('takes a step by keyboard alone', async () => {
    const fault = await server.report('GX-0001', 1);
    const page = await open(fault);
    const press = async (key, condition, what) =>
      until(async () => {
        if (await page.evaluate(condition)) return true;
        await page.keyboard.press(key);
        return false;
      }, what);
    await press('Tab', () => document.activeElement?.dataset.choose === 'note', 'the focus on "Note"');
    await page.keyboard.press('Enter');
    await page.locator('form[data-form=note] textarea:focus').waitFor();
    await page.keyboard.type('seen by keyboard');
    await press('Tab', () => document.activeElement?.matches('form[data-form] button.solid'), 'the button');
    await page.keyboard.press('Enter');
    await panel(page, 'timeline').getByText('seen by keyboard').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('says so where there is no such fault, and fits a phone', async () => {
    const page = await openBoard(browser, server.url, {
      ...CREDENTIALS,
      path: '/#/fault/00000000-0000-7000-8000-000000000000',
      viewport: { width: 390, height: 844 },
    });
    await page.getByText(/there is no fault/i).waitFor();
    const [fault] = (await server.api('GET', '/faults?limit=1')).items;
    await page.evaluate((id) => (location.hash = `#/fault/${id}`), fault.id);
    await page.locator('[data-fault-page]').waitFor();
    assert.equal(await page.locator('main').evaluate((main) => main.scrollWidth - main.clientWidth), 0);
  });
});
