// The report of a visit, as a real agent brought it: read whole, its photos as they come, in both languages.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { startLaptop } from '../lib/laptop.mjs';
import { arrived, penOf } from '../lib/pen.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const TECHNICIAN = 'technician-1';
const FORM = 'line-visit';
const HEARD_BOUND_MS = 12_000;

describe("a visit's report", () => {
  let browser;
  let server;
  let laptop;
  let id;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser('head', 'admin');
    await server.addUser(TECHNICIAN, 'technician');
    laptop = await startLaptop(server, { people: [TECHNICIAN], customers: ['C001'] });
    const fault = await server.report('GX-0001', 5);
    const pen = await penOf(laptop, TECHNICIAN);
    const [red, blue, ink] = await pictures(['#a33', '#33a', '#111']);
    const form = (await pen.call('GET', '/forms')).find(({ name }) => name === FORM);
    const said = {
      customer: 'C001',
      site: 'sample hall 1',
      line: 'GX-0001',
      fault: fault.id,
      met: 'Sample Person',
      purpose: 'sample: no light at the port',
      findings: 'sample: patch cord bent, replaced',
      needs: 'sample: a spare line',
      promises: 'sample: a drawing',
      promised: [{ title: 'sample drawing', until: new Date(Date.now() + 3 * 86_400_000).toISOString() }],
      form: { pack: form.pack, version: form.version, name: form.name },
      answers: { wrist_strap: true, medium: 'fibre', optical_power: -27.5, labels: true, cleared: true },
      satisfied: true,
      signed_by: 'Sample Person',
    };
    const photos = [
      { bytes: red, caption: 'sample: before', place: { latitude: 31.230416, longitude: 121.4737 } },
      { bytes: blue, caption: '' },
    ];
    id = await pen.write(said, { photos, signature: ink });
    await arrived(server, id);
  });
  after(async () => {
    await browser?.close();
    await laptop?.stop();
    await server?.stop();
  });

  /** Pictures of one colour each, as JPEG. */
  async function pictures(colours) {
    const page = await browser.newPage({ viewport: { width: 320, height: 240 } });
    const all = [];
    for (const colour of colours) {
      await page.setContent(`<body style="background:${colour}">`);
      all.push(await page.screenshot({ type: 'jpeg' }));
    }
    await page.close();
    return all;
  }
  const open = (path, more = {}) =>
    openBoard(browser, server.url, { user: USER, password: PASSWORD, path, timezoneId: 'UTC', ...more });
  const drawn = (images) =>
    images.evaluateAll((all) => all.every((it) => it.complete && it.naturalWidth > 0));

  it('is found in the list, and read whole: by keyboard', async () => {
    const page = await open('/#/visits?view=reports');
    const item = page.locator(`[data-visit="${id}"]`);
    await item.locator('[data-complete=true]', { hasText: 'Complete' }).waitFor();
    await item.locator('a').focus();
    await page.keyboard.press('Enter');
    const report = page.locator(`[data-report="${id}"]`);
    await report.waitFor();
    const about = report.locator('[data-panel=about]');
    for (const text of ['样例银行 Sample Bank', 'sample hall 1', 'GX-0001', TECHNICIAN, 'sample-laptop'])
      await about.getByText(text, { exact: false }).first().waitFor();
    for (const text of ['Sample Person', 'patch cord bent', 'a spare line', 'sample drawing, by'])
      await report.locator('[data-panel=said]').getByText(text, { exact: false }).first().waitFor();
    const power = report.locator('[data-row=optical_power]');
    await power.getByText('-27.5 dBm').waitFor();
    await power.getByText('-24 … -8 dBm').waitFor();
    await power.getByText('out of range').waitFor();
    assert.equal(await report.locator('[data-row=labels] b').count(), 0, 'what is well is not marked');
    await report.locator('[data-to=fault]').click();
    await page.locator('[data-fault-page]').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('has its photos as pictures, with caption and place, and the signature with who signed', async () => {
    const page = await open(`/#/visits/report/${id}`);
    const photos = page.locator('[data-photo]');
    await photos.first().getByText('1. sample: before').waitFor();
    await photos.first().getByText('31.23042° N, 121.47370° E').waitFor();
    await page.locator('[data-panel=signature]').getByText('Signed by Sample Person').waitFor();
    const images = page.locator('img[src*="/parts/"]');
    assert.equal(await images.count(), 3);
    await until(() => drawn(images), 'the photos and the signature to be drawn');
    await photos.first().getByRole('button', { name: 'Enlarge: sample: before' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('dialog[open] img').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    const href = await page.locator('[data-download=pdf]').getAttribute('href');
    const pdf = await page.request.get(server.url + href);
    assert.deepEqual([pdf.status(), (await pdf.body()).subarray(0, 5).toString()], [200, '%PDF-']);
    assert.deepEqual(page.problems, []);
  });

  it('says which photo has not arrived, and shows it as soon as something is heard of it', async () => {
    const page = await open('/#/visits?view=reports');
    // As it is while the second photo is still under way.
    const address = `**/api/v1/visits/${id}`;
    await page.route(address, async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      json.complete = false;
      Object.assign(json.parts[1], { whole: false, held: 512, bytes: 2048 });
      await route.fulfill({ response, json });
    });
    await page.locator(`[data-visit="${id}"] a`).click();
    await page.locator('[data-part-state=missing]', { hasText: '512 B of 2 kB arrived' }).waitFor();
    await page.locator('[data-complete=false]', { hasText: '1 photo or signature missing' }).waitFor();
    await page.unroute(address);
    const later = await penOf(laptop, TECHNICIAN);
    await later.write({ customer: 'C001', met: 'Sample Person', purpose: 'sample: the next visit' });
    // Sooner than a page reads again by itself.
    await page.locator('[data-complete=true]').waitFor({ timeout: HEARD_BOUND_MS });
    assert.equal(await page.locator('[data-part-state=missing]').count(), 0);
    assert.equal(await page.locator('[data-part-state=whole]').count(), 3);
    assert.deepEqual(page.problems, []);
  });

  it('speaks Chinese, and is accessible in both themes and on a phone', async () => {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(`/#/visits/report/${id}`, { locale: 'zh-CN', colorScheme });
      await page.getByRole('heading', { name: '走访记录' }).waitFor();
      await page.getByText('超出范围').waitFor();
      await page.locator('[data-panel=signature] [data-part-state=whole]').waitFor();
      assert.deepEqual(await graveFindings(page), []);
      await page.setViewportSize({ width: 390, height: 844 });
      const isSideways = () => document.documentElement.scrollWidth > innerWidth;
      assert.equal(await page.evaluate(isSideways), false);
      const main = page.locator('main');
      assert.equal(await main.evaluate((it) => it.scrollWidth > it.clientWidth), false);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  });
});
