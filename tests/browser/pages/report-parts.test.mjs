// The parts of reports: the assessment, samples for checking, the hotline, surveys.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD, timezoneId: 'Asia/Shanghai' };
const CHECKER = { ...CREDENTIALS, user: 'supervisor' };
const CUSTOMERS = `code,name,tier,pack,manager
C001,样例银行 Sample Bank,AAA,group-line,manager-east
P001,样例供电 Sample Substation,standard,power-distribution,manager-east
`;
const LINES = 'code,customer\nGX-0001,C001\nPD-0001,P001\n';
const DAY_MIN = 1440;
/** In a month that is over. */
const LONG_AGO_MIN = 40 * DAY_MIN;

const zoned = (ms, parts) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai', year: 'numeric', ...parts }).format(ms);
const past = Date.now() - LONG_AGO_MIN * 60_000;
const MONTH = zoned(past, { month: '2-digit' });
const YEAR = zoned(past, {});
const DAY = zoned(past, { month: '2-digit', day: '2-digit' });
const PARTS = [`assessment/${YEAR}?customer=P001`, `quality/${MONTH}`, `hotline/${MONTH}`, 'surveys'];

describe('parts of reports', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer({ customers: CUSTOMERS, lines: LINES })];
    await server.addUser('supervisor', 'admin');
    await server.import(`day,calls,answered,soon\n${DAY},200,190,171\n`, 'calls', [
      ...['--day', 'day', '--offered', 'calls', '--answered', 'answered', '--within-20s', 'soon'],
    ]);
    for (const [line, minutes] of [
      ['GX-0001', 60],
      ['PD-0001', 900],
    ]) {
      const fault = await server.report(line, LONG_AGO_MIN);
      for (const [step, after, fields] of [
        ['restored', minutes],
        ['repaired', minutes + 5],
        ['callback', minutes + 10, { reached: true, result: 'satisfied' }],
      ])
        await server.step(fault.id, step, LONG_AGO_MIN - after, fields);
    }
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (path, viewer = {}) =>
    openBoard(browser, server.url, { ...CREDENTIALS, path: `/#/reports/${path}`, ...viewer });

  it('assesses a customer by a year, and opens a figure to what it is made of', async () => {
    const page = await open('assessment');
    await page.getByText('Choose a customer, or a contractor').waitFor();
    await page.locator('#assess-customer').focus();
    await page.keyboard.type('P001');
    await until(async () => /customer=P001/.test(await page.evaluate(() => location.hash)), 'the address');
    await page.evaluate((year) => (location.hash = `#/reports/assessment/${year}?customer=P001`), YEAR);
    await page.locator('[data-assessment=P001]').waitFor();
    assert.match(await page.locator('[data-cell=part]').innerText(), /10%/);
    const restored = page.locator('[data-assessed=restored]');
    assert.match(await restored.innerText(), /0%/);
    await restored.locator('button.figure.bad').press('Enter');
    await page.locator('dialog tbody tr', { hasText: 'PD-0001' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    // A pack without an assessment says so.
    const none = await open(`assessment/${YEAR}?customer=C001`);
    await none.locator('.error', { hasText: 'assessment' }).waitFor();
    assert.deepEqual([...page.problems, ...none.problems], []);
  });

  it('lets somebody else check what was drawn, with a reason where it is not good', async () => {
    const own = await open(`quality/${MONTH}`);
    await own.locator('tr[data-sampled]').first().waitFor();
    const form = own.locator('[data-form=check]').first();
    await form.locator('.points').fill('90');
    await form.locator('button').click();
    await own.locator('td .error').waitFor();

    const page = await open(`quality/${MONTH}`, CHECKER);
    const row = page.locator('tr[data-sampled]').first();
    await row.locator('.points').fill('101');
    await row.locator('button').click();
    await row.locator('.error', { hasText: 'from 0 to 100' }).waitFor();
    await row.locator('.points').fill('40');
    await row.locator('input').nth(1).fill('sample: nobody was told');
    await row.locator('button').press('Enter');
    await row.locator('[data-found]', { hasText: '40 points, not good' }).waitFor();
    assert.match(await page.locator('[data-cell=checked]').innerText(), /1/);
    assert.deepEqual([...own.problems, ...page.problems], []);
  });

  it('shows how the hotline answered', async () => {
    const page = await open(`hotline/${MONTH}`);
    await page.locator('[data-cell=answered]', { hasText: '95%' }).waitFor();
    assert.match(await page.locator('[data-cell=within]').innerText(), /90%[^]*171 of 190/);
    assert.deepEqual(page.problems, []);
  });

  it('makes a survey, gives a link, and shows what was answered', async () => {
    const page = await open('surveys');
    await page.getByText('No survey was made yet').waitFor();
    await page.fill('#survey-title', 'Sample survey');
    await page.locator('[data-form=survey] button.solid').click();
    await page.locator('[data-form=survey] .error', { hasText: 'Questions' }).waitFor();
    await page.fill('#survey-zh-0', '故障处理是否满意？');
    await page.fill('#survey-en-0', 'Are faults dealt with well?');
    await page.fill(
      '#survey-closes',
      `${zoned(Date.now() + 20 * 86_400_000, { month: '2-digit', day: '2-digit' })}T18:00`,
    );
    await page.locator('[data-form=survey] button.solid').click();
    await page.getByText('Nobody was asked yet').waitFor();
    await page.fill('#invite-customer', 'C001');
    await page.locator('[data-chosen=C001]').waitFor();
    await page.locator('[data-form=invite] button.solid').click();
    const link = await page.locator('tr[data-invited=C001] code').innerText();
    const answer = await browser.newPage();
    await answer.goto(link);
    await answer.locator('input[type=radio]').first().check();
    await answer.locator('button[type=submit], button').last().click();
    await page.reload();
    await page.locator('tr[data-group=Everybody]', { hasText: '100%' }).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('speaks Chinese, and is accessible in both themes and on a phone', async () => {
    const phone = { viewport: { width: 390, height: 844 } };
    for (const viewer of [{ colorScheme: 'light' }, { colorScheme: 'dark' }, phone]) {
      const page = await open('month', { ...viewer, locale: 'zh-CN' });
      for (const part of PARTS) {
        await page.evaluate((part) => (location.hash = `#/reports/${part}`), part);
        await page.locator('[data-part][aria-current]', { hasText: /考核|抽查|热线|满意度/ }).waitFor();
        await page.locator('table, .cells').first().waitFor();
        assert.deepEqual(await graveFindings(page), [], part);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(wide, false, `${part} goes sideways`);
      }
      await page.close();
    }
  });
});
