// The matters' page: permits to work, and leaks of customers' data.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD, timezoneId: 'UTC' };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CUSTOMERS = `code,name,tier,pack,manager
P001,样例供电 Sample Substation,standard,power-distribution,manager-east
P002,样例学院 Sample College,standard,power-distribution,manager-west
`;
const LINES = 'code,customer,site,service\nPD-0001,P001,sample station,supply\n';
const SITES = 'customer,name\nP001,sample station\n';
// The last test is so long ago that the next one is owed.
const EQUIPMENT = `customer,site,label,kind,condition,tested_on
P001,sample station,T-1,transformer,class-1,2024-05-01
`;
const local = (ms) => new Date(ms).toISOString().slice(0, 16);

describe('permits and leaks', () => {
  let browser;
  let server;
  let round;

  before(async () => {
    [browser, server] = [await launch(), await startServer({ customers: CUSTOMERS, lines: LINES })];
    await server.addUser('supervisor', 'admin');
    await server.import(SITES);
    await server.import(EQUIPMENT);
    round = await until(async () => {
      const { items } = await server.api('GET', '/matters?kind=patrol&limit=500');
      return items.find((one) => one.class === 'transformer-test');
    }, 'the test of the transformer to fall due');
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (path, viewer = {}) => openBoard(browser, server.url, { ...CREDENTIALS, path, ...viewer });
  const submit = (page, step) => page.locator(`[data-form=${step}] button.solid`).click();

  it('grants a permit only with all that its rules ask for, and takes it back before the report', async () => {
    const page = await open(`/#/visits/${round.id}`);
    await page.click('[data-choose=begun]');
    await submit(page, 'begun');
    await page.locator('[data-form=begun] .error', { hasText: 'No permit to work is in force' }).waitFor();

    await page.click('[data-choose=permit_granted]');
    const form = page.locator('[data-form=permit_granted]');
    await form.locator('text=Electrical work').waitFor();
    await page.fill('#permit-to', 'sample crew');
    await page.fill('#permit-from', local(Date.now() - HOUR_MS));
    await page.fill('#permit-until', local(Date.now() + 8 * HOUR_MS));
    await submit(page, 'permit_granted');
    await form.locator('.error', { hasText: 'The safety briefing was given' }).waitFor();
    await form.locator('input[name=briefing]').check();
    await page.fill('#permit-ticket', 'T-17');
    await page.fill('#permit-number-electrician', 'E-4');
    await page.fill('#permit-valid-electrician', local(Date.now() - DAY_MS).slice(0, 10));
    await submit(page, 'permit_granted');
    await form.locator('.error', { hasText: 'The permit lacks' }).waitFor();
    await page.fill('#permit-valid-electrician', local(Date.now() + 90 * DAY_MS).slice(0, 10));
    await submit(page, 'permit_granted');
    const granted = page.locator('[data-fact=permit_granted]');
    await granted.waitFor();
    assert.match(await granted.innerText(), /sample crew[^]*T-17[^]*safety briefing[^]*electrician E-4/);

    await page.click('[data-choose=begun]');
    await submit(page, 'begun');
    await page.locator('[data-fact=begun]').waitFor();
    await page.click('[data-choose=permit_returned]');
    await submit(page, 'permit_returned');
    await page.locator('[data-fact=permit_returned]').waitFor();
    const { possible } = await server.api('GET', `/matters/${round.id}`);
    assert.ok(possible.includes('made'), possible.join());
    assert.deepEqual(page.problems, []);
  });

  it('takes a leak in for each customer, by keys alone, and not without one', async () => {
    const page = await open('/#/matters');
    await page.locator('[data-leak]').focus();
    await page.keyboard.press('Enter');
    await page.locator('#leak-what:focus').waitFor();
    await page.keyboard.type('sample: a list was mailed to the wrong address');
    await page.keyboard.press('Tab');
    await page.keyboard.type('P001');
    await page.locator('#leak-customer-list [role=option]', { hasText: 'P001' }).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('[data-chosen=P001]').waitFor();
    await page.keyboard.type('P002');
    await page.locator('[data-chosen=P002]').waitFor();
    await page.locator('[data-chosen=P002] button').press('Enter');
    await page.locator('[data-chosen=P002]').waitFor({ state: 'detached' });
    await submit(page, 'leak');
    await page.locator('tr[data-matter]', { hasText: 'Substation' }).waitFor();
    const { items } = await server.api('GET', '/matters?class=leak');
    assert.deepEqual(
      items.map(({ customer }) => customer),
      ['P001'],
    );

    await page.click('[data-leak]');
    await page.fill('#leak-what', 'sample');
    await submit(page, 'leak');
    await page.locator('[data-form=leak] .error', { hasText: 'Whose data it was' }).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('speaks Chinese, and is accessible in both themes', async () => {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(`/#/visits/${round.id}`, { locale: 'zh-CN', colorScheme });
      await page.locator('[data-fact=permit_granted]', { hasText: '签发作业许可' }).waitFor();
      assert.deepEqual(await graveFindings(page), []);
      await page.evaluate(() => (location.hash = '#/matters'));
      await page.click('[data-leak]');
      await page.locator('dialog', { hasText: '报告客户信息泄露' }).waitFor();
      assert.deepEqual(await graveFindings(page), []);
      await page.close();
    }
  });
});
