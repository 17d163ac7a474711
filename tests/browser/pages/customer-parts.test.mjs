// The pages of customers: who may be lost, who is admitted, contractors, sites and their equipment, availability, service's end.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD, timezoneId: 'Asia/Shanghai' };
const CUSTOMERS = `code,name,tier,pack,manager
C001,样例银行 Sample Bank,AAA,group-line,manager-east
P001,样例供电 Sample Substation,standard,power-distribution,manager-east
`;
const LINES = `code,customer,site,service
GX-0001,C001,sample hall,internet
PD-0001,P001,sample station,supply
`;
const SITES = `customer,name,access_hours,access_contact,access_phone
P001,sample station,Mon-Fri 08:30-17:30,gate,000-0000-0009
`;
const VIEWS = ['?view=risks', '?view=admissions', '?view=contractors'];

describe("parts of customers' pages", () => {
  let browser;
  let server;

  before(async () => {
    const config = '[desk]\nadmission = true\n';
    [browser, server] = [await launch(), await startServer({ customers: CUSTOMERS, lines: LINES, config })];
    await server.addUser('supervisor', 'admin');
    await server.addUser('manager-east', 'manager');
    await server.import(SITES);
    const decide = await server.as('supervisor');
    for (const code of ['C001', 'P001'])
      await decide('POST', `/customers/${code}/admission`, { admitted: true });
    const fault = await server.report('PD-0001', 600);
    await server.step(fault.id, 'restored', 300);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (path, viewer = {}) => openBoard(browser, server.url, { ...CREDENTIALS, path, ...viewer });
  const panel = (page, name) => page.locator(`[data-panel=${name}]`);

  it('enters who may be lost, plans the visit that is proposed, and takes it back', async () => {
    const page = await open('/#/customers?view=risks');
    await page.locator('[data-form=risk] button.solid').click();
    await page.locator('[data-form=risk] .error', { hasText: 'Choose a customer' }).waitFor();
    await page.fill('#risk-customer', 'C001');
    await page.locator('#risk-customer-list [role=option]', { hasText: 'C001' }).click();
    await page.fill('#risk-reason', 'sample: another offer is looked at');
    await page.locator('[data-form=risk] button.solid').click();
    const risk = page.locator('tr[data-risk=C001]');
    await risk.locator('[data-reason=entered]', { hasText: 'another offer' }).waitFor();
    await risk.locator('button', { hasText: 'Plan it' }).click();
    await risk.locator('text=planned for').waitFor();
    const visit = (await server.api('GET', '/customers/at-risk')).items.find(
      ({ customer }) => customer === 'C001',
    ).visit;
    assert.ok(visit.planned_at, 'the round itself is planned');

    await risk.locator('th a').click();
    await panel(page, 'risk').locator('[data-reason=entered] button').click();
    await panel(page, 'risk').locator('text=Nothing says').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('proposes a customer, and lets somebody else alone admit it', async () => {
    const manager = await open('/#/customers?view=admissions', { user: 'manager-east' });
    await manager.locator('[data-form=customer] button.solid').click();
    await manager.locator('[data-form=customer] .error', { hasText: 'Code' }).waitFor();
    await manager.fill('#new-code', 'C009');
    await manager.fill('#new-name', '样例书店 Sample Books');
    await manager.selectOption('#new-tier', 'A');
    await manager.fill('#new-manager', 'manager-east');
    await manager.locator('[data-form=customer] button.solid').click();
    const row = (page) => page.locator('tr[data-admission=C009]');
    await row(manager).locator('text=somebody else decides').waitFor();

    const page = await open('/#/customers?view=admissions', { user: 'supervisor' });
    await row(page).locator('[data-decide=refuse]').click();
    await row(page).locator('.error', { hasText: 'needs its reason' }).waitFor();
    await row(page).locator('[data-decide=admit]').click();
    await row(page).waitFor({ state: 'detached' });
    const { items } = await server.api('GET', '/customers?q=C009');
    assert.equal(items[0].tier, 'A');
    assert.deepEqual([...manager.problems, ...page.problems], []);
  });

  it('writes a contractor down, and reads whom to call only when asked', async () => {
    const admin = await open('/#/customers?view=contractors', { user: 'supervisor' });
    await admin.fill('#contractor-code', 'K1');
    await admin.fill('#contractor-name', 'Sample Upkeep');
    await admin.fill('#contractor-contract_from', '2026-01-01');
    await admin.fill('#contractor-contact_name', 'duty desk');
    await admin.fill('#contractor-fee_part', 'much');
    await admin.locator('[data-form=contractor] button.solid').click();
    await admin.locator('[data-form=contractor] .error').waitFor();
    await admin.fill('#contractor-fee_part', '8%');
    await admin.locator('[data-form=contractor] button.solid').click();
    await admin.locator('tr[data-contractor=K1]', { hasText: '8%' }).waitFor();

    const page = await open('/#/customers?view=contractors');
    const row = page.locator('tr[data-contractor=K1]');
    assert.equal(await page.locator('[data-form=contractor]').count(), 0);
    await row.waitFor();
    assert.doesNotMatch(await row.innerText(), /duty desk/);
    await row.locator('button').press('Enter');
    await row.locator('text=duty desk').waitFor();
    assert.deepEqual([...admin.problems, ...page.problems], []);
  });

  it('keeps the ledger of a site, by keys alone', async () => {
    const page = await open('/#/customers/P001');
    const availability = page.locator('[data-availability=PD-0001]');
    await availability.waitFor();
    assert.match(await availability.innerText(), /99%[^]*100%[^]*left/);
    await panel(page, 'sites').locator('a', { hasText: 'Equipment' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-site-page]', { hasText: 'No equipment' }).waitFor();
    await page.locator('[data-read-access]').press('Enter');
    await panel(page, 'access').getByText('000-0000-0009').waitFor();

    await page.locator('#piece-label').press('Enter');
    await page.locator('[data-form=piece] .error', { hasText: 'Label' }).waitFor();
    await page.locator('#piece-label').focus();
    await page.keyboard.type('T-9');
    await page.keyboard.press('Enter');
    await page.locator('tr[data-piece=T-9]', { hasText: 'Class 1' }).waitFor();
    await page.locator('tr[data-piece=T-9] a').press('Enter');
    await page.locator('[data-piece-page=T-9]').waitFor();
    await page.selectOption('#regrade-condition', 'class-3');
    await page.locator('#regrade-reason').press('Enter');
    await page.locator('[data-form=regrade] .error', { hasText: 'Why' }).waitFor();
    await page.fill('#regrade-reason', 'sample: oil leaks');
    await page.locator('#regrade-reason').press('Enter');
    await panel(page, 'conditions').getByText('sample: oil leaks').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('shows a line’s promised availability', async () => {
    const page = await open('/#/lines/PD-0001', { locale: 'zh-CN' });
    await page.locator('[data-availability=PD-0001]', { hasText: '剩余' }).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('speaks Chinese, and is accessible in both themes and on a phone', async () => {
    const phone = { viewport: { width: 390, height: 844 } };
    for (const viewer of [{ colorScheme: 'light' }, { colorScheme: 'dark' }, phone]) {
      const page = await open('/#/customers', { ...viewer, locale: 'zh-CN', user: 'supervisor' });
      for (const view of [...VIEWS.map((view) => `#/customers${view}`), '#/customers/P001']) {
        await page.evaluate((view) => (location.hash = view), view);
        await page.locator('[data-panel]').first().waitFor();
        await until(async () => (await page.getByText('正在').count()) === 0, 'all to be read');
        assert.deepEqual(await graveFindings(page), [], view);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(wide, false, `${view} goes sideways`);
      }
      await page.locator('[data-site="sample station"] a').click();
      await page.locator('tr[data-piece=T-9] a').click();
      await page.locator('[data-piece-page=T-9]', { hasText: '三类设备' }).waitFor();
      assert.deepEqual(await graveFindings(page), []);
      await page.close();
    }
  });

  it('ends the service only when it is meant, and lets it go on', async () => {
    const page = await open('/#/customers/C001', { user: 'manager-east' });
    await page.click('[data-end]');
    await page.locator('[data-form=service-end] button.solid').click();
    await page.locator('[data-form=service-end] .error', { hasText: 'Tick' }).waitFor();
    await page.locator('[data-form=service-end] input[type=checkbox]').check();
    await page.locator('[data-form=service-end] button.solid').click();
    await panel(page, 'service').getByText('The service ended').waitFor();
    await page.click('[data-resume]');
    await panel(page, 'service').getByText('without an end').waitFor();
    assert.deepEqual(page.problems, []);
  });
});
