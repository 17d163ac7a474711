// The pages of customers.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD, timezoneId: 'Asia/Shanghai' };
const SUPERVISOR = { ...CREDENTIALS, user: 'supervisor' };
const CUSTOMERS = `code,name,tier,pack,region,manager,manager_email,deputy,deputy_email,contact_name,contact_phone
C001,样例银行 Sample Bank,AAA,group-line,sample,manager-east,east@example.invalid,deputy-east,deputy@example.invalid,duty desk,010-5550-0101
C002,样例学院 Sample College,A,group-line,sample,manager-west,,,,duty desk,ask reception
C003,样例客栈 Sample Inn,standard,group-line,sample,,,,,,
`;
const VIEWS = ['', '?view=managers', '?view=incomplete', '?view=grades'];

describe("customers' pages", () => {
  let browser;
  let server;
  let fault;

  before(async () => {
    [browser, server] = [await launch(), await startServer({ customers: CUSTOMERS })];
    await server.addUser(SUPERVISOR.user, 'admin');
    await server.addUser('technician', 'technician');
    fault = await server.report('GX-0001', 130);
    const matter = { kind: 'complaint', class: 'important', customer: 'C001', title: 'Slow in the mornings' };
    await server.api('POST', '/matters', matter);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (path, viewer = {}) => openBoard(browser, server.url, { ...CREDENTIALS, path, ...viewer });
  const panel = (page, name) => page.locator(`[data-panel=${name}]`);
  const tabTo = (page, condition, what) =>
    until(async () => {
      if (await page.evaluate(condition)) return true;
      await page.keyboard.press('Tab');
      return false;
    }, what);

  it('finds a customer, and shows what is open and owed', async () => {
    const page = await open('/#/customers');
    await page.locator('tr[data-customer=C003]').waitFor();
    assert.match(await page.locator('tr[data-customer=C003]').innerText(), /nobody/);
    await page.fill('input[type=search]', 'nowhere');
    await page.getByText('No customer has this').waitFor();
    await page.fill('input[type=search]', 'bank');
    await until(async () => (await page.locator('tr[data-customer]').count()) === 1, 'the one customer');
    await page.locator('tr[data-customer=C001] a').click();
    await page.locator('[data-customer-page=C001]').waitFor();

    await panel(page, 'matters').getByText('Slow in the mornings').waitFor();
    await panel(page, 'rounds').locator('[data-due=visit]').waitFor();
    assert.match(await page.locator('[data-cell=faults]').innerText(), /1\s+1 missed/);
    assert.match(await panel(page, 'people').innerText(), /010-5550-0101/);
    assert.equal(await panel(page, 'people').locator('[data-wanting]').count(), 0, 'nothing is wanting');
    await panel(page, 'faults').locator(`tr[data-fault="${fault.id}"] a`).click();
    await page.locator(`[data-fault-page="${fault.id}"]`).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('writes an absence down, by keys alone, and ends it', async () => {
    const page = await open('/#/shift?view=absences');
    await page.getByText('Nobody is away').waitFor();
    await tabTo(page, () => document.activeElement?.id === 'away-person', 'the focus on the person');
    await page.keyboard.type('manager-east');
    await page.keyboard.press('Enter');
    assert.match(await page.locator('form [role=alert]').innerText(), /Please fill in: Until/);
    const day = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    await page.fill('#away-until', `${day}T08:00`);
    await page.locator('#away-until').press('Enter');
    await page.locator('tr[data-absence=manager-east]').waitFor();

    await page.evaluate(() => (location.hash = '#/customers/C001'));
    await panel(page, 'people').locator('[data-away]').waitFor();
    assert.match(await panel(page, 'people').locator('[data-acts]').innerText(), /deputy-east stands in/);
    await page.evaluate(() => (location.hash = '#/shift?view=absences'));
    await page.locator('tr[data-absence=manager-east] button').click();
    await page.getByText('Nobody is away').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('lists loads, and contact data that is wanting, in words', async () => {
    const page = await open('/#/customers?view=managers', { locale: 'zh-CN' });
    await page.locator('tr[data-manager=manager-east]').waitFor();
    assert.match(await page.locator('tr[data-manager=""]').innerText(), /无人负责/);
    await page.click('[data-chip=incomplete]');
    const row = page.locator('tr[data-incomplete=C002]');
    await row.waitFor();
    assert.match(await row.innerText(), /联系电话不可用：ask reception/);
    await row.locator('a').click();
    await panel(page, 'people').locator('[data-wanting]').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('proposes a grade only with all points, and says why the server refuses', async () => {
    const page = await open('/#/customers/C001');
    await page.click('[data-propose]');
    const form = page.locator('form[data-form=grade]');
    await form.locator('button.solid').click();
    assert.match(await form.locator('[role=alert]').innerText(), /Please fill in/);
    const inputs = form.locator('input[type=number]');
    for (let n = 0; n < (await inputs.count()); n += 1) await inputs.nth(n).fill('5');
    const refused = page.waitForResponse((r) => r.url().endsWith('/grade-proposals') && r.status() === 422);
    await form.locator('button.solid').click();
    await refused;
    await until(
      async () => !/Please fill in/.test(await form.locator('[role=alert]').innerText()),
      'the reason: the customer is not known for half a year',
    );
    assert.deepEqual(page.problems, []);
  });

  it('lets a supervisor alone decide on a grade', async () => {
    // Nobody can be graded within the first half year: the proposal is put into the answer on its way.
    const proposal = {
      ...{ id: crypto.randomUUID(), customer: 'C001', pack: 'key-account', before: null, grade: 'gold' },
      reasons: { scores_centi: [['revenue', 3_500]], total_centi: 8_250, capped_by: [] },
      ...{ state: 'proposed', proposed_by: 'noc', proposed_at: new Date().toISOString() },
      ...{ decided_by: null, decided_at: null, keeps_manager: null },
    };
    const withProposal = async (viewer) => {
      const page = await open('/', viewer);
      await page.route('**/api/v1/grade-proposals', (route) =>
        route.fulfill({ json: { items: [proposal], next_cursor: null } }),
      );
      await page.evaluate(() => (location.hash = '#/customers?view=grades'));
      await page.locator('[data-proposal=C001]').waitFor();
      return page;
    };
    const desk = await withProposal({});
    assert.match(await desk.locator('[data-proposal=C001]').innerText(), /Revenue 35[^]*82\.5/);
    assert.equal(await desk.locator('[data-decide]').count(), 0);
    const page = await withProposal(SUPERVISOR);
    await page.selectOption('[data-proposal=C001] select', 'no');
    const sent = page.waitForRequest((request) => request.url().endsWith('/decision'));
    await page.click('[data-decide=approve]');
    assert.deepEqual((await sent).postDataJSON(), { approved: true, keeps_manager: false });
    await page.locator('[data-proposal=C001] [role=alert]').waitFor();
    assert.deepEqual(await graveFindings(page), []);
  });

  it('keeps from a technician what is the desk’s', async () => {
    const page = await open('/#/customers?view=managers', { user: 'technician' });
    await page.locator('tr[data-customer=C001]').waitFor();
    assert.equal(await page.locator('[data-chip]').count(), 0);
    await page.evaluate(() => (location.hash = '#/customers/C002'));
    await page.locator('[data-customer-page=C002]').waitFor();
    assert.equal(await panel(page, 'grade').count(), 0);
    assert.equal(await page.locator('main [role=alert]').count(), 0);
    await page.evaluate(() => (location.hash = '#/customers/C999'));
    await page.getByText('there is no customer called "C999"').waitFor();
  });

  it('is legible for all, in both themes and on a phone', async () => {
    const page = await open('/#/customers/C001');
    await page.locator('[data-customer-page=C001] [data-due]').first().waitFor();
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await graveFindings(page), [], colorScheme);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    for (const view of VIEWS) {
      await page.evaluate((to) => (location.hash = `#/customers${to}`), view);
      await page.locator('main :is(table, form, .quiet)').first().waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, view);
      assert.deepEqual(await graveFindings(page), [], view);
    }
  });
});
