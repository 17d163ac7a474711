// Visits and patrols.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
const VISITS = '/#/visits';
const DAY_MS = 86_400_000;

describe('visits and patrols', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (path, more = {}) =>
    openBoard(browser, server.url, { ...CREDENTIALS, path, timezoneId: 'UTC', ...more });
  const choose = (page, step) => page.locator(`[data-choose=${step}]`).click();
  const submit = (page, step) => page.locator(`[data-form=${step}] button.solid`).click();
  const rounds = async (kind, customer) =>
    (await server.api('GET', `/matters?kind=${kind}&state=live&customer=${customer}`)).items;

  async function roundOf(kind, customer) {
    const found = await until(async () => (await rounds(kind, customer))[0], `a ${kind} to be owed`);
    return found.id;
  }

  it('gives a patrol by keyboard, reports it wrong, then right: a point that failed is a defect', async () => {
    const page = await open(`${VISITS}?view=duties`);
    await page.locator('[data-give]').focus();
    await page.keyboard.press('Enter');
    await page.locator('#give-customer').focus();
    await page.keyboard.type('C001');
    await page.locator('#give-customer-list [role=option]', { hasText: 'C001' }).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('#give-round').selectOption('power-distribution/quarterly');
    await page.locator('#give-site').focus();
    await page.keyboard.type('sample hall 1');
    await page.keyboard.press('Enter');
    await page.locator('[data-form=duty]').waitFor({ state: 'detached' });
    await page.locator('[data-duty]', { hasText: 'sample hall 1' }).waitFor();

    const id = await roundOf('patrol', 'C001');
    await page.goto(`${server.url}/${VISITS.slice(1)}/${id}`);
    await choose(page, 'made');
    await submit(page, 'made');
    await page.locator('[data-form=made] .error').waitFor();
    const points = page.locator('[data-point]');
    for (let n = 0; n < (await points.count()); n += 1) {
      await points
        .nth(n)
        .locator(n === 0 ? '[value=no]' : '[value=yes]')
        .check();
    }
    await points.nth(0).locator('input:not([type=radio])').fill('sample: below the limit');
    await points.nth(0).locator('select').selectOption('major');
    await page.locator('[data-add-promise]').click();
    await page.locator('.promise input').first().fill('sample: a copy of the report');
    await page
      .locator('.promise input')
      .nth(1)
      .fill(new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, 16));
    await submit(page, 'made');
    await page.locator('[data-state=resolved]').waitFor();
    const defects = (await server.api('GET', '/matters?kind=defect')).items;
    assert.deepEqual(
      defects.map((defect) => [defect.class, defect.about]),
      [['major', id]],
    );
    assert.equal((await server.api('GET', '/matters?kind=promise')).items.length, 1);
    await choose(page, 'reviewed');
    await page.locator('[data-form=reviewed]').getByText('Accepted', { exact: true }).click();
    await submit(page, 'reviewed');
    await page.locator('[data-state=closed]').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('plans a visit, and shows it in the month, per owner', async () => {
    const id = await roundOf('visit', 'C002');
    const page = await open(VISITS);
    await page.locator('[data-owner=manager-west] [data-round]').first().waitFor();
    await page.locator(`[data-round="${id}"] a`).click();
    await choose(page, 'planned');
    const when = new Date(Date.now() + DAY_MS);
    await page.fill('#plan-at', `${when.toISOString().slice(0, 10)}T10:30`);
    await submit(page, 'planned');
    await page.locator('[data-fact=planned]').waitFor();

    await page.goto(`${server.url}/${VISITS.slice(1)}?view=calendar`);
    await page.locator('table[data-month]').waitFor();
    if (
      (await page.locator('table[data-month]').getAttribute('data-month')) !== when.toISOString().slice(0, 7)
    )
      await page.locator('.bar button').nth(1).click();
    const entry = page.locator(`table [data-entry="${id}"]`);
    await entry.waitFor();
    assert.match(await entry.innerText(), /10:30/);
    await page.selectOption('select[name=owner]', 'manager-east');
    await entry.waitFor({ state: 'detached' });
    assert.deepEqual(page.problems, []);
  });

  it('speaks Chinese, and is accessible in both themes and on a phone', async () => {
    const id = await roundOf('visit', 'C001');
    for (const colorScheme of ['light', 'dark']) {
      for (const view of ['', '?view=calendar', '?view=duties', '?view=reports', `/${id}`]) {
        const page = await open(VISITS + view, { locale: 'zh-CN', colorScheme });
        await page.locator('[data-page] h1').waitFor();
        await page.locator('.list-box, table[data-month], .empty b, [data-detail]').first().waitFor();
        assert.deepEqual(await graveFindings(page), [], view);
        await page.setViewportSize({ width: 390, height: 844 });
        const isSideways = () =>
          document.documentElement.scrollWidth > innerWidth ||
          document.querySelector('main').scrollWidth > document.querySelector('main').clientWidth;
        assert.equal(await page.evaluate(isSideways), false, view);
        assert.deepEqual(page.problems, []);
        await page.context().close();
      }
    }
    const page = await open(VISITS, { locale: 'zh-CN' });
    await page.getByRole('heading', { name: '走访巡检' }).waitFor();
    await page.getByText('金牌客户走访').first().waitFor();
  });
});
