// Yearly plans of key customers: who has none, writing one, approving it, and what its measures become.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, startServer } from '../lib/server.mjs';

const CUSTOMERS = `code,name,tier,pack,manager,contact_name,contact_phone
K001,样例银行 Sample Bank,gold,key-account,manager-east,duty desk,000-0000-0001
K002,样例工厂 Sample Mill,good,key-account,manager-west,duty desk,000-0000-0002
K003,样例商店 Sample Shop,plain,key-account,manager-west,duty desk,000-0000-0003
`;
const LINES =
  'code,customer,site\nGX-0001,K001,sample hall\nGX-0002,K002,sample hall\nGX-0003,K003,sample hall\n';
const [WRITER, OTHER] = ['manager-east', 'manager-west'];
const NEXT = new Date().getFullYear() + 1;
const PLAN = `/#/customers/K001/plans/${NEXT}`;

describe('yearly plans', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer({ customers: CUSTOMERS, lines: LINES })];
    for (const name of [WRITER, OTHER]) await server.addUser(name, 'manager');
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (user, path, options = {}) =>
    openBoard(browser, server.url, { user, password: PASSWORD, path, ...options });

  it('lists who has none, and leads to writing one', async () => {
    const page = await open(WRITER, `/#/customers?view=plans&year=${NEXT}`);
    await page.locator('[data-without-plan=K001]', { hasText: 'none yet' }).waitFor();
    await page.locator('[data-without-plan=K002]').waitFor();
    assert.equal(await page.locator('[data-without-plan=K003]').count(), 0, 'not a key customer');
    await page.locator('input[type=checkbox]').check();
    await page.locator('[data-without-plan=K002]').waitFor({ state: 'detached' });
    assert.deepEqual(await graveFindings(page), []);
    await page.locator('[data-without-plan=K001] a', { hasText: 'Write the plan' }).click();
    await page.locator('[data-plan=missing]').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('is written by keys alone, refused where a day is wrong, and not approved by who wrote it', async () => {
    const page = await open(WRITER, PLAN);
    const form = page.locator('[data-form=plan]');
    await form.locator('textarea').focus();
    await page.keyboard.type('Sample goal: no line is interrupted for longer than promised');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Sample review meeting');
    const day = form.locator('[data-draft="1"] input[type=date]');
    await day.fill(`${NEXT - 3}-01-05`);
    await page.keyboard.press('Enter');
    await form.locator('[role=alert]', { hasText: 'lies outside of the plan' }).waitFor();
    await day.fill(`${NEXT}-01-05`);
    await form.locator('[data-add-measure]').focus();
    await page.keyboard.press('Enter');
    await form.locator('[data-draft="2"] input').first().waitFor();
    await page.keyboard.type('Second route for the hall');
    await page.keyboard.press('Enter');
    await form.locator('[role=alert]', { hasText: 'Measure 2' }).waitFor();
    await form.locator('[data-draft="2"] input[type=date]').fill(`${NEXT}-11-30`);
    await form.locator('[data-draft="2"] input').last().fill(OTHER);
    await page.keyboard.press('Enter');
    await page.locator('[data-plan=proposed]').waitFor();
    await page.locator('[data-measure="2"]', { hasText: OTHER }).waitFor();
    await page.locator('[data-panel=plan]', { hasText: 'somebody else approves it' }).waitFor();
    assert.equal(await page.locator('[data-approve]').count(), 0);
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(page.problems, []);
  });

  it('is approved by somebody else, and its measures become promises', async () => {
    const page = await open(OTHER, PLAN);
    await page.click('[data-approve]');
    await page.locator('[data-plan=approved]').waitFor();
    await page.locator('[data-measure="2"] button', { hasText: 'Promise it now' }).click();
    await page.locator('[data-measure="2"][data-standing=promised] a').waitFor();
    await page.locator('[data-progress]', { hasText: '0 of 2 done' }).waitFor();
    const plan = await server.api('GET', `/customers/K001/plans/${NEXT}`);
    const matter = plan.measures.find(({ n }) => n === 2).matter;
    await server.api('POST', `/matters/${matter}/facts`, { kind: 'resolved', text: 'sample: built' });
    await page.reload();
    await page.locator('[data-measure="2"][data-standing=done]').waitFor();
    await page.locator('[data-progress]', { hasText: '1 of 2 done' }).waitFor();
    await page.locator('[data-measure="2"] a').click();
    await page.waitForURL(`**/#/matters/${matter}`);
    assert.deepEqual(page.problems, []);
  });

  it('keeps what is promised while it is written anew, in Chinese', async () => {
    const page = await open(WRITER, PLAN, { locale: 'zh-CN' });
    await page.click('[data-anew]');
    const form = page.locator('[data-form=plan]');
    const kept = form.locator('fieldset', { hasText: '已列为承诺' }).first();
    assert.equal(await kept.locator('input').first().getAttribute('readonly'), '');
    await form.locator('[data-add-measure]').click();
    const last = form.locator('fieldset').last();
    await last.locator('input').first().fill('示例：季度回顾');
    await last
      .locator('input[type=date]')
      .fill(`${NEXT}-13-01`)
      .catch(() => undefined);
    await form.locator('button.solid').click();
    await form.locator('[role=alert]', { hasText: '请填写：措施 3' }).waitFor();
    await last.locator('input[type=date]').fill(`${NEXT}-06-30`);
    await form.locator('button.solid').click();
    await page.locator('[data-plan=proposed]').waitFor();
    await page.locator('[data-measure]', { hasText: '示例：季度回顾' }).waitFor();
    assert.equal(await form.count(), 0);
    assert.deepEqual(page.problems, []);
  });

  it("is told among what the desk owes, on the day's list", async () => {
    const page = await open(OTHER, '/#/shift');
    await page.locator('[data-notice=plans_missing] a').click();
    await page.locator('[data-without-plan=K002]').waitFor();
  });

  it("stands on the customer's page", async () => {
    const page = await open(OTHER, '/#/customers/K002');
    await page.locator('[data-panel=customer-plan]', { hasText: 'overdue' }).waitFor();
    await page.click('[data-open-plan]');
    await page.locator('[data-plan=missing] [data-form=plan]').waitFor();
    const shop = await open(OTHER, '/#/customers/K003');
    await shop.locator('[data-customer-page=K003]').waitFor();
    assert.equal(await shop.locator('[data-panel=customer-plan]').count(), 0);
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`is fit for everybody on a phone (${colorScheme})`, async () => {
      const viewport = { width: 390, height: 844 };
      const page = await open(WRITER, PLAN, { locale: 'zh-CN', colorScheme, viewport });
      await page.locator('[data-measure="2"]').waitFor();
      await page.click('[data-anew]');
      await page.locator('[data-form=plan]').waitFor();
      assert.deepEqual(await graveFindings(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    });
  }
});
