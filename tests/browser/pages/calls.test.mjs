// The call desk: who is owed a word, and what came of it.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
const CALLS = '/#/calls';
const LINES = `code,customer,site,service,tier,agent,probe,interval,upstream
GX-0001,C001,sample hall 1,internet,,,,,
GX-0002,C001,sample hall 2,internet,,,,,
GX-0003,C002,sample library,internet,,,,,
GX-0004,C002,sample hostel,internet,,,,,
GX-0005,C002,sample annex,internet,,,,,
GX-0007,C001,sample hall 7,internet,,,,,node-7
GX-0008,C002,sample hall 8,internet,,,,,node-7
`;

describe('the call desk', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer({ lines: LINES })];
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const call = (page, kind, id) => page.locator(`[data-call="${kind}/${id}"]`);
  const card = (page, kind, id) => page.locator(`[data-card="${kind}/${id}"]`);
  const outcome = (page, name) => page.locator(`[data-outcome=${name}]`);

  async function repaired(line) {
    const fault = await server.report(line, 90);
    for (const [kind, minutes] of [
      ['restored', 60],
      ['repaired', 30],
    ])
      await server.step(fault.id, kind, minutes);
    return fault;
  }

  it('tells a customer, once in vain and once reached, and goes on to the next', async () => {
    const fault = await server.report('GX-0001', 20);
    const page = await openBoard(browser, server.url, { ...CREDENTIALS, path: CALLS });
    await call(page, 'feedback', fault.id).click();
    const shown = card(page, 'feedback', fault.id);
    await shown.locator('a[href="tel:000-0000-0001"]').waitFor();
    assert.match(
      await shown.locator('[data-script]').innerText(),
      /GX-0001 at sample hall 1[^]*without service/,
    );
    await page.fill('#call-note', 'sample: line is engaged');
    await outcome(page, 'notReached').click();
    await until(async () => {
      const { facts } = await server.api('GET', `/faults/${fault.id}`);
      return facts.some((fact) => fact.kind === 'feedback' && fact.reached === false);
    }, 'the call in vain to be kept');

    await call(page, 'feedback', fault.id).click();
    await page.locator('[data-tries="1"]', { hasText: 'sample: line is engaged' }).waitFor();
    const before = await server.api('GET', `/faults/${fault.id}`);
    await outcome(page, 'reached').click();
    await until(async () => {
      const { feedback } = await server.api('GET', `/faults/${fault.id}`);
      return feedback.due_at > before.feedback.due_at;
    }, 'the next period to have begun');
    assert.deepEqual(page.problems, []);
  });

  it('asks after the repair: satisfied closes, still down reopens; by keyboard alone', async () => {
    const [well, ill] = [await repaired('GX-0003'), await repaired('GX-0004')];
    const page = await openBoard(browser, server.url, { ...CREDENTIALS, path: CALLS });
    await call(page, 'callback', well.id).focus();
    await page.keyboard.press('Enter');
    await card(page, 'callback', well.id).waitFor();
    await until(
      () => page.evaluate(() => document.activeElement?.tagName === 'H2'),
      'the card to have the focus',
    );
    while (!(await page.evaluate(() => document.activeElement?.matches('[data-outcome=satisfied]'))))
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await call(page, 'callback', well.id).waitFor({ state: 'detached' });
    assert.equal((await server.api('GET', `/faults/${well.id}`)).state, 'closed');

    await page.evaluate((id) => (location.hash = `#/calls/callback/${id}`), ill.id);
    await card(page, 'callback', ill.id).waitFor();
    await outcome(page, 'stillDown').click();
    await call(page, 'callback', ill.id).waitFor({ state: 'detached' });
    assert.equal((await server.api('GET', `/faults/${ill.id}`)).restored_at, null);
    assert.deepEqual(page.problems, []);
  });

  it('says in place when a call is no longer owed, or was made meanwhile', async () => {
    const fault = await repaired('GX-0005');
    const page = await openBoard(browser, server.url, {
      ...CREDENTIALS,
      path: `${CALLS}/callback/${fault.id}`,
      withoutTicks: true,
    });
    await card(page, 'callback', fault.id).waitFor();
    await server.step(fault.id, 'callback', 0, { reached: true, result: 'satisfied' });
    await outcome(page, 'satisfied').click();
    await page.locator('[data-card] .error[role=alert]').waitFor();

    const second = await openBoard(browser, server.url, {
      ...CREDENTIALS,
      path: `${CALLS}/callback/${fault.id}`,
    });
    await second.getByText('no longer owed').waitFor();
    assert.deepEqual([...page.problems, ...second.problems], []);
  });

  it('gives all customers of one node the same word', async () => {
    const [first, second] = [await server.report('GX-0007', 15), await server.report('GX-0008', 14)];
    const page = await openBoard(browser, server.url, { ...CREDENTIALS, path: CALLS });
    await page.locator('[data-node="node-7"] button').click();
    await page.locator('dialog section button.solid').click();
    await page.locator('dialog .error').waitFor();
    await page.fill('#tell-all-note', 'sample: the node has lost its power');
    await page.locator('dialog section button.solid').click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    for (const { id } of [first, second]) {
      const { facts } = await server.api('GET', `/faults/${id}`);
      assert.ok(facts.some((fact) => fact.kind === 'feedback' && fact.reached));
    }
    assert.deepEqual(page.problems, []);
  });

  it('speaks Chinese, tells of complaints too, and is accessible in both themes and on a phone', async () => {
    const complaint = await server.api('POST', '/matters', {
      kind: 'complaint',
      class: 'minor',
      customer: 'C001',
      title: '样例：账单有误',
    });
    for (const colorScheme of ['light', 'dark']) {
      const page = await openBoard(browser, server.url, {
        ...CREDENTIALS,
        path: `${CALLS}/progress/${complaint.id}`,
        locale: 'zh-CN',
        colorScheme,
      });
      await page.locator('[data-script]', { hasText: '关于您' }).waitFor();
      await card(page, 'progress', complaint.id).locator('a[href="tel:000-0000-0001"]').waitFor();
      assert.deepEqual(await graveFindings(page), []);
      await page.setViewportSize({ width: 390, height: 844 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
      if (colorScheme === 'dark') {
        await outcome(page, 'reached').click();
        await until(async () => {
          const { facts } = await server.api('GET', `/matters/${complaint.id}`);
          return facts.some((fact) => fact.kind === 'told');
        }, 'the word to be kept');
      }
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  });
});
