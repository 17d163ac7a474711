// Alerts where people work: on the pages of faults and matters, and those that nobody has taken on that of the shift.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
const TECHNICIAN = { user: 'field', password: PASSWORD };
const MINUTE_MS = 60_000;
// Nobody answers at this port: what is sent stays on its way.
const config =
  '[smtp]\nhost = "127.0.0.1"\nport = 9\ntls = "none"\nfrom = "desk@example.invalid"\n[desk]\nnoc_email = "noc@example.invalid"\n';

describe('alerts', () => {
  let browser;
  let server;

  before(async () => (browser = await launch()));
  after(async () => browser?.close());
  beforeEach(async () => (server = await startServer({ config })));
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server?.stop();
  });

  /** A fault of the customer that is promised two hours, and has waited for longer. */
  const missed = async (line = 'GX-0001') => {
    const fault = await server.report(line, 130);
    const told = async () => (await server.api('GET', `/alerts?fault=${fault.id}`)).items.length > 0;
    await until(told, 'the miss to be told');
    return fault;
  };
  const alerts = (page) => page.locator('[data-panel=alerts]');
  const ofMiss = (page, standing) => alerts(page).locator(`[data-alert=missed][data-standing=${standing}]`);
  const open = (path, viewer = {}) => openBoard(browser, server.url, { ...CREDENTIALS, path, ...viewer });

  it('are taken on the page of their fault; a failure says so and takes nothing', async () => {
    const fault = await missed();
    const page = await open(`/#/fault/${fault.id}`);
    const alert = ofMiss(page, 'climbing').filter({ hasText: 'Restoration' });
    await alert.getByText(/not taken; goes to those on duty \d\d:\d\d, step 1 of 2/).waitFor();
    await alert.getByText(/manager-east by mail, on its way/).waitFor();

    const refuse = (route) =>
      route.fulfill({
        status: 503,
        contentType: 'application/problem+json',
        body: JSON.stringify({ code: 'busy', title: 'busy', detail: 'try again', status: 503 }),
      });
    await page.route('**/acknowledgement', refuse);
    await alert.getByRole('button').click();
    await alert.locator('[role=alert]').waitFor();
    assert.equal((await server.api('GET', `/alerts?fault=${fault.id}`)).items.length, 1);
    await page.unroute('**/acknowledgement');
    await alert.getByRole('button').click();
    await ofMiss(page, 'taken')
      .getByText(/noc took it \d\d:\d\d, at the desk/)
      .waitFor();
    assert.equal(await alerts(page).getByRole('button', { name: 'I take this' }).count(), 0);
    const { state } = await server.api('GET', `/faults/${fault.id}`);
    assert.equal(state, 'open', 'to take an alert is no step of the fault');
    assert.deepEqual(page.problems, []);
  });

  it('that nobody has taken stand first on the page of the shift, in Chinese, by keyboard', async () => {
    const [first, second] = [await missed('GX-0001'), await missed('GX-0002')];
    const page = await open('/#/shift', { locale: 'zh-CN' });
    const untaken = page.locator('[data-panel=untaken]');
    const rows = untaken.locator('[data-alert]');
    await until(async () => (await rows.count()) === 2, 'both alerts');
    await untaken
      .getByText(/无人认领，.+ 升级至值班人员，第 1\/2 级/)
      .first()
      .waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await rows.filter({ hasText: 'GX-0002' }).getByRole('button').focus();
    await page.keyboard.press('Enter');
    await until(async () => (await rows.count()) === 1, 'the taken one to go');
    // Work on the other one ends it too, without a click here.
    await server.step(first.id, 'dispatched', 0);
    await untaken.getByText('所有告警均已有人认领。').waitFor();
    const { alerts: told } = await server.api('GET', `/faults/${second.id}`);
    const taken = told.find(({ kind, mark }) => kind === 'restoration' && mark === 'missed');
    assert.equal(taken.acknowledged.by, USER);
    assert.deepEqual(page.problems, []);
  });

  it('of a matter stand on its page, and a technician sees no names', async () => {
    await server.addUser(TECHNICIAN.user, 'technician');
    const fault = await missed();
    const opened_at = new Date(Date.now() - 30 * MINUTE_MS).toISOString();
    const complaint = { kind: 'complaint', class: 'minor', customer: 'C001', title: 'sample', opened_at };
    const { id } = await server.api('POST', '/matters', complaint);
    const told = async () => (await server.api('GET', `/matters/${id}`)).alerts.length > 0;
    await until(told, 'the matter to be told of');
    const desk = await open(`/#/matters/${id}`, {
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
    });
    await alerts(desk).getByText('for information').first().waitFor();
    await alerts(desk)
      .getByText(/manager-east by mail/)
      .first()
      .waitFor();
    assert.equal(await desk.evaluate(() => document.documentElement.scrollWidth), 390);
    assert.deepEqual(await graveFindings(desk), []);

    const field = await open(`/#/fault/${fault.id}`, TECHNICIAN);
    await ofMiss(field, 'climbing').getByText('mail, on its way').waitFor();
    assert.doesNotMatch(await alerts(field).innerText(), /manager-east/);
    await ofMiss(field, 'climbing').getByRole('button').click();
    await ofMiss(field, 'taken')
      .getByText(/Somebody took it/)
      .waitFor();
  });
});
