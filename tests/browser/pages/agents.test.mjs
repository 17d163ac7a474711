// One agent: who signs in on it, which customers it sees, what it has not sent.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const HOUR_MS = 3_600_000;

describe('an agent', () => {
  let browser;
  let server;
  let head;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser('head', 'admin');
    for (const name of ['technician-1', 'technician-2']) await server.addUser(name, 'technician');
    head = await server.as('head');
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (path = '/agents/sample-agent', more = {}) =>
    openBoard(browser, server.url, { user: 'head', password: PASSWORD, path: `/#/admin${path}`, ...more });
  const people = async () => (await head('GET', '/agents/sample-agent/people')).items.map(({ name }) => name);
  const customers = async () => (await head('GET', '/agents/sample-agent/customers')).customers;

  it('is given people, by keys alone, and they are taken out again', async () => {
    const page = await open('/agents');
    await page.locator('[data-agent=sample-agent] a').focus();
    await page.keyboard.press('Enter');
    const panel = page.locator('[data-panel=agent-people]');
    await panel.getByText('Nobody may sign in on it.').waitFor();
    await panel.locator('button.solid').click();
    await panel.locator('[role=alert]', { hasText: 'User' }).waitFor();
    await panel.locator('option', { hasText: 'technician-1' }).waitFor({ state: 'attached' });
    await page.locator('#agent-person').focus();
    await page.keyboard.type('technician-1');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await panel.locator('[data-chosen=technician-1]', { hasText: 'technician' }).waitFor();
    assert.deepEqual(await people(), ['technician-1']);
    assert.equal(await panel.locator('option', { hasText: 'technician-1' }).count(), 0, 'is there already');

    // Somebody else gives another meanwhile: neither change undoes the other.
    await head('PUT', '/agents/sample-agent/people', { people: ['technician-1', 'technician-2'] });
    await panel.getByRole('button', { name: 'Remove: technician-1' }).focus();
    await page.keyboard.press('Enter');
    await panel.locator('[data-chosen=technician-1]').waitFor({ state: 'detached' });
    assert.deepEqual(await people(), ['technician-2']);
    assert.deepEqual(page.problems, []);
  });

  it('is given customers', async () => {
    const page = await open();
    const panel = page.locator('[data-panel=agent-customers]');
    await panel.getByText('None beside those of its own lines.').waitFor();
    await page.locator('#agent-customer').focus();
    await page.keyboard.type('C002');
    await page.locator('#agent-customer-list [role=option]', { hasText: 'C002' }).waitFor();
    await page.keyboard.press('Enter');
    await panel.locator('button.solid').click();
    await panel.locator('[data-chosen=C002]', { hasText: 'Sample College' }).waitFor();
    assert.deepEqual(await customers(), ['C002']);
    await panel.getByRole('button', { name: /^Remove: / }).click();
    await panel.locator('[data-chosen=C002]').waitFor({ state: 'detached' });
    assert.deepEqual(await customers(), []);
    assert.deepEqual(page.problems, []);
  });

  it('shows what it has not sent, by lane and age, also while it is silent or kept out', async () => {
    const page = await open('');
    const ago = (hours) => new Date(Date.now() - hours * HOUR_MS).toISOString();
    // As it is hours after an agent was heard last: a test has no time for that.
    await page.route('**/api/v1/agents?*', async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      Object.assign(
        json.items.find(({ name }) => name === 'sample-agent'),
        {
          state: 'revoked',
          silent_since: ago(30),
          unsent: [
            { lane: 'desk', records: 2, since_at: ago(26.1) },
            { lane: 'summary', records: 1500, since_at: ago(31.1) },
          ],
          parts_missing: 3,
        },
      );
      await route.fulfill({ response, json });
    });
    await page.locator('[data-part=agents]').click();
    const cell = page.locator('[data-agent=sample-agent] [data-unsent]');
    await cell.getByText('1,502 records · 3 photos · for 31 h').waitFor();
    await page.locator('[data-agent=sample-agent] a').click();
    const lane = (name) => page.locator(`[data-lane=${name}]`).innerText();
    await page.locator('[data-lane=parts]').waitFor();
    assert.match(await lane('desk'), /Visits and matters\s+2\s.*for 26 h/s);
    assert.match(await lane('summary'), /1,500\s.*for 31 h/s);
    assert.match(await lane('parts'), /Photos and signatures\s+3/);
    await page.getByText('before it is wiped').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('of which there are two is released by a person, when asked twice', async () => {
    const page = await open();
    // As it is after a disk was copied: a test has no time for that.
    let sent = null;
    await page.route('**/api/v1/agents?*', async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      const twofold = { state: 'quarantined', quarantined_since: new Date().toISOString(), kept_aside: 3 };
      if (!sent)
        Object.assign(
          json.items.find(({ name }) => name === 'sample-agent'),
          twofold,
        );
      await route.fulfill({ response, json });
    });
    await page.route('**/api/v1/agents/sample-agent/release', async (route) => {
      sent = route.request().postDataJSON();
      await route.fulfill({ json: { records: 3 } });
    });
    await page.reload();
    const panel = page.locator('[data-panel=agent-twofold]');
    await panel.getByText('3 records').waitFor();
    await page.locator('[data-agent-state=quarantined]').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await panel.getByRole('button', { name: 'Leave it aside for good' }).click();
    await panel.getByRole('button', { name: 'Not yet' }).click();
    await panel.getByRole('button', { name: 'Take in what they sent' }).click();
    assert.equal(sent, null);
    await panel.locator('button.solid').click();
    await panel.waitFor({ state: 'detached' });
    assert.deepEqual(sent, { records: 'take' });
    assert.deepEqual(page.problems, []);
  });

  it('speaks Chinese, and is accessible in both themes and on a phone', async () => {
    await head('PUT', '/agents/sample-agent/people', { people: ['technician-1'] });
    await head('PUT', '/agents/sample-agent/customers', { customers: ['C002'] });
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(undefined, { locale: 'zh-CN', colorScheme });
      await page.getByRole('heading', { name: '可登录人员' }).waitFor();
      await page.locator('[data-chosen=C002]').waitFor();
      await until(async () => (await page.locator('[data-chosen]').count()) === 2, 'both lists');
      assert.deepEqual(await graveFindings(page), []);
      await page.setViewportSize({ width: 390, height: 844 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  });
});
