// The technician's page before the mock of the agent's API: every screen, both languages, by keyboard, without grave findings
// of the accessibility checker.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch } from '../lib/browser.mjs';
import { openField, PASSWORD, PEOPLE, startField, tooSmall } from '../lib/field.mjs';

const FAULT = '00000000-0000-7000-8000-000000000001';
const ROUND = '00000000-0000-7000-8000-000000000101';
const DEFECT = '00000000-0000-7000-8000-000000000102';
const SCREENS = [
  '',
  `fault/${FAULT}`,
  'lines',
  'lines/GX-0002',
  'customers',
  'customers/C001',
  'report?line=GX-0002',
  'take-in?customer=C001',
  `matter/${DEFECT}`,
  `matter/${ROUND}`,
  'new-visit',
  'saved',
  'doctor',
];

describe('the technician’s page', () => {
  let browser, field, page;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    field = await startField();
  });
  afterEach(async () => {
    const problems = page?.problems ?? [];
    await page?.context().close();
    await field?.stop();
    assert.deepEqual(problems, []);
  });
  const open = async (options) => (page = await openField(browser, field.url, options));
  const go = (path) => page.goto(`${field.url}/#/${path}`);
  const button = (name) => page.getByRole('button', { name, exact: true });

  it('says of each screen what there is, in both languages and either light', async () => {
    for (const options of [
      { colorScheme: 'light' },
      { colorScheme: 'dark', locale: 'zh-CN', viewport: { width: 390, height: 844 } },
    ]) {
      await open(options);
      for (const path of SCREENS) {
        await go(path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        assert.deepEqual(await graveFindings(page), [], `#/${path}`);
        assert.deepEqual(await tooSmall(page), [], `#/${path}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `#/${path} goes ${wide} px over the edge`);
      }
      await page.context().close();
      // The mock knows one session.
      Object.assign(field.mock.world, { user: null, token: null });
    }
  });

  it('lets nobody in with a wrong password, and says how long to wait', async () => {
    page = await (await browser.newContext({ locale: 'en-GB' })).newPage();
    await page.goto(field.url);
    await button(PEOPLE[1]).click();
    const password = page.getByLabel('Password');
    for (let turn = 0; turn < 6; turn += 1) {
      await password.fill('wrong');
      await Promise.all([page.waitForResponse(/session/), page.keyboard.press('Enter')]);
      await page.getByRole('alert').waitFor();
    }
    await page.getByText('Try again in 30 s').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    field.mock.world.tries = 0;
    await password.fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Today' }).waitFor();
  });

  it('shows nothing more once it is locked', async () => {
    await open();
    field.mock.world.locked = true;
    field.mock.world.user = null;
    await page.reload();
    await page.getByRole('heading', { name: 'This laptop is locked' }).waitFor();
    assert.equal(await page.getByText('Sample Bank').count(), 0);
  });

  it('takes a step by keyboard alone, set back with a reason', async () => {
    await open({ path: `/#/fault/${FAULT}` });
    const press = async (name) => {
      await button(name).focus();
      await page.keyboard.press('Enter');
    };
    await press('Arrived');
    await page.getByRole('radio', { name: 'Just now' }).focus();
    await page.keyboard.press('ArrowRight');
    await press('30 min ago');
    const save = page.locator('form').getByRole('button', { name: 'Arrived' });
    await save.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Say why').waitFor();
    await page.getByLabel('Why is it written down only now?').fill('sample: no hand free');
    await page.keyboard.press('Enter');
    await page.getByText('Arrived on site').waitFor();
    const fact = field.mock.world.faults[0].facts.at(-1);
    assert.equal(fact.kind, 'arrived');
    const agoMin = (Date.now() - Date.parse(fact.occurred_at)) / 60_000;
    assert.ok(agoMin > 29 && agoMin < 32, `${agoMin} min ago`);
  });

  it('takes a fault in, and a complaint', async () => {
    await open();
    await page.getByRole('link', { name: 'Report a fault' }).click();
    await page.getByLabel('Line').selectOption('GX-0003');
    await page.getByLabel('What does not work').fill('sample: no light');
    await page.getByLabel('Who said so').fill('duty desk');
    await button('Report it').click();
    await page.getByRole('link', { name: /GX-0003/ }).waitFor();
    await page.getByRole('link', { name: /Take in a complaint/ }).click();
    await page.getByRole('radio', { name: 'Complaint' }).check({ force: true });
    await page.getByLabel('Class').selectOption('minor');
    await page.getByLabel('Customer').selectOption('C002');
    await page.getByLabel('In a few words').fill('sample: slow at noon');
    await page.getByLabel('Who said so').fill('duty desk');
    await button('Take it in').click();
    await page.getByRole('link', { name: /slow at noon/ }).click();
    await button('Customer told').click();
    await page.getByRole('radio', { name: 'Yes' }).check({ force: true });
    await page.locator('form').getByRole('button', { name: 'Customer told' }).click();
    await page.getByText('Customer told: Saved on this laptop').waitFor();
    assert.deepEqual(
      field.mock.world.saved.map(({ kind }) => kind),
      ['deed', 'opened', 'report'],
    );
  });

  it('finds the cause at the press of a button', async () => {
    await open({ path: '/#/lines/GX-0001' });
    await button('Find the cause').click();
    await page.getByText('The path ends after hop 3.').waitFor();
    await page.getByText('Saved with the line.').waitFor();
    assert.deepEqual(await graveFindings(page), []);
  });
});
