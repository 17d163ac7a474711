// The whole visit, with real programs: the network off from its start to its end, the laptop killed in the middle of typing,
// the network on, the report on the board with its photos and the signature, a PDF of it on both sides.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { launch, openBoard } from '../lib/browser.mjs';
import { startLaptop } from '../lib/laptop.mjs';
import { PASSWORD, startServer, USER } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const PEOPLE = ['technician-1', 'technician-2'];
const SYNC_BOUND_MS = 60_000;
const PHOTOS = 5;

describe('a visit without a network', () => {
  let browser, server, laptop, page;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    server = await startServer();
    await server.addUser('head', 'admin');
    for (const name of PEOPLE) await server.addUser(name, 'technician');
    laptop = await startLaptop(server, { people: PEOPLE, customers: ['C001'] });
  });
  afterEach(async () => {
    const problems = page?.problems ?? [];
    await page?.context().close();
    await laptop?.stop();
    await server?.stop();
    assert.deepEqual(problems, []);
  });

  const button = (name) => page.getByRole('button', { name, exact: true });
  const fill = (label, text) => page.getByLabel(label, { exact: true }).fill(text);
  const saved = () => page.locator('[data-save=saved]').waitFor();

  async function signIn() {
    await button(PEOPLE[0]).click();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
  }

  it('is written, survives the battery, arrives whole and makes its paper', async () => {
    laptop.cable.pull();
    const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce' });
    page = Object.assign(await context.newPage(), { problems: [] });
    page.on('pageerror', (error) => page.problems.push(String(error)));
    await page.goto(laptop.url);
    await signIn();
    await page.getByRole('heading', { name: 'Today' }).waitFor();

    await page.goto(`${laptop.url}/#/new-visit?customer=C001`);
    await button('Begin').click();
    await page.getByRole('heading', { name: 'Visit report' }).waitFor();
    await fill('What for', 'sample: no light at the port');
    await fill('Who was met', 'Sample Person');
    await page.getByRole('combobox', { name: 'Form' }).selectOption({ label: 'Work on a line' });
    const choose = (field, answer) => page.locator(`#a-${field}`).getByText(answer, { exact: true }).click();
    await choose('wrist_strap', 'Yes');
    await choose('medium', 'Fibre');
    await page.locator('#answer-optical_power').fill('-27.5');
    await page.getByText('Out of range (-24 … -8 dBm)').waitFor();
    await choose('labels', 'Yes');
    await choose('cleared', 'Yes');
    await saved();

    // In the middle of typing the battery dies. What the page called saved is there afterwards.
    await page.getByLabel('What was found', { exact: true }).pressSequentially('sample: patch cord bent');
    await saved();
    await page.getByLabel('What was found', { exact: true }).pressSequentially(', and more th');
    await laptop.kill();
    await laptop.start();
    await page.reload();
    await signIn();
    await page.getByRole('heading', { name: 'Visit report' }).waitFor();
    const found = await page.getByLabel('What was found', { exact: true }).inputValue();
    assert.ok(found.startsWith('sample: patch cord bent'), found);
    await fill('What was found', 'sample: patch cord bent, replaced');

    for (let n = 1; n <= PHOTOS; n += 1) await addPhoto(n);
    await page
      .getByRole('group', { name: 'Is the customer satisfied?' })
      .getByText('Yes', { exact: true })
      .click();
    await sign();
    await fill('Name of who signs', 'Sample Person');
    await page.getByText(/Signature saved/).waitFor();
    await page.getByText('Nothing is missing.').waitFor();
    await button('Finish the report').click();
    await page.getByText('On this laptop only, not sent yet').first().waitFor();
    const id = /visit\/([0-9a-f-]{36})/.exec(page.url())[1];
    const paper = await page.pdf({ format: 'A4' });
    assert.equal(paper.subarray(0, 5).toString(), '%PDF-');
    assert.equal((await server.api('GET', '/visits')).items.length, 0, 'nothing has left the laptop yet');

    laptop.cable.plug();
    await page.goto(`${laptop.url}/#/saved`);
    await page.getByText('complete at the server').first().waitFor({ timeout: SYNC_BOUND_MS });

    const report = await until(
      async () => {
        const report = await server.api('GET', `/visits/${id}`);
        return report.complete && report;
      },
      'the report to be complete at the server',
      SYNC_BOUND_MS,
    );
    assert.equal(report.parts.length ?? report.parts.items?.length, PHOTOS + 1);
    assert.equal((await server.api('GET', '/visits')).items.length, 1, 'once');

    const board = await openBoard(browser, server.url, {
      user: USER,
      password: PASSWORD,
      path: `/#/visits/report/${id}`,
    });
    await board.getByText('sample: patch cord bent, replaced').waitFor();
    const pictures = board.locator('img[src*="/parts/"]');
    await until(async () => (await pictures.count()) === PHOTOS + 1, 'photos and the signature on the board');
    await board.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    const drawn = () => pictures.evaluateAll((all) => all.every((it) => it.complete && it.naturalWidth > 0));
    await until(drawn, 'each of them to be drawn');
    const pdf = await fetch(`${server.url}/api/v1/visits/${id}/report.pdf?lang=zh`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    assert.equal(pdf.status, 200);
    const bytes = Buffer.from(await pdf.arrayBuffer());
    assert.equal(bytes.subarray(0, 5).toString(), '%PDF-');
    assert.ok(bytes.length > 20_000, `${bytes.length} bytes: with its pictures`);
    assert.deepEqual(board.problems, []);
    await board.context().close();
  });

  it('has a line of another agent probed from the site', async () => {
    const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce' });
    page = Object.assign(await context.newPage(), { problems: [] });
    await page.goto(`${laptop.url}/#/lines/GX-0001`);
    await signIn();
    const probed = async () =>
      (await (await fetch(`${laptop.url}/status`)).json()).lines.map((it) => it.line);
    assert.deepEqual(await probed(), [], 'a laptop watches no line by itself');
    await button('Probe it from here').click();
    await page.getByText(/This laptop probes the line, too/).waitFor();
    await until(async () => (await probed()).includes('GX-0001'), 'the line to be probed');
    await button('Stop probing from here').click();
    await until(async () => (await probed()).length === 0, 'the line to be left alone');
  });

  /** A picture as a camera makes it: larger than what is kept, and of much detail. */
  async function addPhoto(n) {
    const bytes = await page.evaluate(async (seed) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 2_400, height: 1_800 });
      const brush = canvas.getContext('2d');
      for (let i = 0; i < 4_000; i += 1) {
        brush.fillStyle = `hsl(${(i * 37 + seed * 61) % 360} 60% ${30 + (i % 50)}%)`;
        brush.fillRect((i * 131) % 2_400, (i * 73 * seed) % 1_800, 60, 40);
      }
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.9));
      return [...new Uint8Array(await blob.arrayBuffer())];
    }, n);
    const file = { name: `sample-${n}.jpg`, mimeType: 'image/jpeg', buffer: Buffer.from(bytes) };
    await page.locator('input[type=file]').last().setInputFiles(file);
    await page.getByAltText(`Photo ${n}`).waitFor();
    await saved();
  }

  async function sign() {
    const pad = page.locator('canvas');
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox();
    await page.mouse.move(box.x + 40, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 70, { steps: 8 });
    await page.mouse.up();
  }
});
