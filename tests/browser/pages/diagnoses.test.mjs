// What a technician's laptop found out about a line, on the page of the fault that it was found for.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { startLaptop } from '../lib/laptop.mjs';
import { penOf } from '../lib/pen.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const BOUND_MS = 60_000;

describe('diagnoses of a fault', () => {
  let browser;
  let server;
  let laptop;
  let fault;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser('head', 'admin');
    await server.addUser('technician-1', 'technician');
    fault = await server.report('GX-0001', 10);
    laptop = await startLaptop(server, { people: ['technician-1'], customers: ['C001'] });
  });
  after(async () => {
    await browser?.close();
    await laptop?.stop();
    await server?.stop();
  });
  const open = (more = {}) =>
    openBoard(browser, server.url, {
      user: USER,
      password: PASSWORD,
      path: `/#/fault/${fault.id}`,
      ...more,
    });

  it('say each finding in words, with its grade, in both languages', async () => {
    const before = await open();
    await before.locator('[data-panel=told]').waitFor();
    assert.equal(await before.locator('[data-panel=diagnoses]').count(), 0);

    const pen = await penOf(laptop, 'technician-1');
    await until(
      async () => (await pen.call('GET', '/work')).faults.some(({ id }) => id === fault.id),
      'the fault to be known on the laptop',
      BOUND_MS,
    );
    const { id } = await pen.call('POST', '/lines/GX-0001/diagnosis');
    const found = await until(
      async () => {
        const diagnosis = await pen.call('GET', `/diagnoses/${id}`);
        return diagnosis.state === 'done' && diagnosis;
      },
      'the diagnosis to be made',
      BOUND_MS,
    );
    await pen.call('POST', '/sync');
    const kept = await until(
      async () => (await server.api('GET', `/faults/${fault.id}`)).diagnoses[0],
      'the diagnosis to be at the server',
      BOUND_MS,
    );
    for (const [locale, language] of [
      ['en-GB', 'en'],
      ['zh-CN', 'zh'],
    ]) {
      const page = await open({ locale });
      const panel = page.locator(`[data-diagnosis="${kept.id}"]`);
      await panel.waitFor();
      const findings = panel.locator('dd[data-finding]');
      assert.equal(await findings.count(), found.findings.length);
      // Of this machine itself both say the same, in the same words.
      const own = found.findings.find(({ code }) => code === 'answers' || code === 'own');
      assert.ok(own, JSON.stringify(found.findings));
      if (own.code === 'answers') await panel.getByText(own.text[language]).first().waitFor();
      else await panel.locator('[data-finding=own]').waitFor();
      assert.deepEqual(await graveFindings(page), []);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  });
});
