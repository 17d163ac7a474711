// The visit report before the mock of the agent's API: saved field by field, kept while nothing answers, finished on a paper.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch } from '../lib/browser.mjs';
import { openField, PASSWORD, PEOPLE, picture, startField, tooSmall } from '../lib/field.mjs';
import { until } from '../lib/wait.mjs';

const ROUND = '00000000-0000-7000-8000-000000000101';

describe('a visit report', () => {
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
  const draftOf = () => [...field.mock.world.drafts.values()][0]?.draft;
  beforeEach(async () => {
    await open({ path: `/#/new-visit?customer=C001&round=${ROUND}` });
    await button('Begin').click();
    await page.getByRole('heading', { name: 'Visit report' }).waitFor();
  });
  const saved = () => page.locator('[data-save=saved]').waitFor();
  const fill = async (label, text) => {
    await page.getByLabel(label, { exact: true }).fill(text);
  };

  it('saves each field by itself, asks what the form asks, and ends in a paper', async () => {
    await page.getByText('What for: is missing').waitFor();
    await fill('What for', 'sample round');
    await fill('Who was met', 'duty desk');
    await page.getByRole('combobox', { name: 'Form' }).selectOption({ label: 'Round of an equipment room' });
    await page.getByText('Temperature of the room: is missing').click();
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'answer-temperature');
    await page.keyboard.type('42');
    await page.getByText('Out of range (10 … 30 °C)').waitFor();
    await page.getByLabel('Received optical power: Measured').fill('-30,5');
    await page.getByText('Out of range (-24 … -8 dBm)').waitFor();
    await button('Add a promise with a day').click();
    await fill('What is promised', 'sample: new labels');
    await page.getByText('Nothing is missing.').waitFor();
    await addPhoto();
    await sign();
    await fill('Name of who signs', 'Sample Person');
    await page.getByText(/Signature saved/).waitFor();
    await saved();
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(await tooSmall(page), []);
    const draft = draftOf();
    assert.deepEqual(draft.answers, { temperature: 42 });
    assert.deepEqual(draft.points, [{ name: 'optical_power', ok: false, reading: -30.5 }]);
    assert.equal(draft.photos.length, 1);
    assert.match(draft.signature, /^[0-9a-f]{64}$/);
    await button('Finish the report').click();
    await button('Print or save as PDF').waitFor();
    await page.getByText('On this laptop only, not sent yet', { exact: true }).waitFor();
    await page.getByText('42 °C (allowed: 10 … 30 °C)').waitFor();
    await page.getByAltText('Signature of Sample Person').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.getByRole('navigation').isVisible(), false);
    assert.equal(await page.getByRole('article').isVisible(), true);
  });

  it('keeps what was typed while the agent is dead, says so, and saves it when it is back', async () => {
    field.mock.world.dead = true;
    await fill('What for', 'sample purpose');
    await page.getByText('NOT SAVED').waitFor();
    await page.getByText('does not answer').first().waitFor();
    await page
      .locator('input[type=file]')
      .last()
      .setInputFiles(await picture(page));
    await page.getByText('NOT SAVED: the photo is kept').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    field.mock.world.dead = false;
    await page.getByAltText('Photo 1').waitFor();
    await saved();
    assert.equal(draftOf().photos.length, 1);
    assert.equal(draftOf().purpose, 'sample purpose');
  });

  it('keeps nothing of a photo but the picture; the place only where that is wanted', async () => {
    const files = page.locator('input[type=file]').last();
    await files.setInputFiles(await picture(page, '#345'));
    await page.getByAltText('Photo 1').waitFor();
    await page.getByLabel('Keep where it was taken').check();
    await files.setInputFiles(await picture(page, '#a53'));
    await page.getByText('Taken at 31.23042° N, 121.47000° E').waitFor();
    await saved();
    const [first, second] = draftOf().photos;
    assert.equal(first.place, undefined);
    assert.deepEqual(second.place, { latitude: 31.230417, longitude: 121.47 });
    for (const { bytes } of field.mock.world.images.values()) assert.equal(bytes.includes('Exif'), false);
    await button('Forget the place').click();
    await until(() => !draftOf().photos[1].place, 'the place to be forgotten');
    await button('Remove photo 1').click();
    await until(() => draftOf().photos.length === 1, 'the photo to be gone');
  });

  it('is there again after the page was closed', async () => {
    await fill('What was found', 'sample finding');
    await page.reload();
    await until(
      async () => (await page.getByLabel('What was found').inputValue()) === 'sample finding',
      'the draft to be there',
    );
    await go('');
    await page
      .getByRole('link', { name: /Sample Bank/ })
      .first()
      .waitFor();
  });

  it('keeps what was typed while somebody signs in anew', async () => {
    Object.assign(field.mock.world, { user: null, token: null });
    await fill('Who was met', 'duty desk');
    await page.getByText('The agent was started anew').waitFor();
    await button(PEOPLE[0]).click();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await until(() => draftOf().met === 'duty desk', 'the draft to be saved');
    assert.equal(await page.getByLabel('Who was met').inputValue(), 'duty desk');
  });

  it('asks which of two versions is to be kept', async () => {
    const [draft] = field.mock.world.drafts.values();
    Object.assign(draft, { revision: 7, draft: { ...draft.draft, purpose: 'the other window’s' } });
    await fill('What for', 'this window’s');
    await page.getByRole('alertdialog').getByText('the other window’s').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await button('Keep what stands in this window').click();
    await saved();
    assert.equal(draftOf().purpose, 'this window’s');
  });

  it('is thrown away only when asked twice', async () => {
    await button('Throw the draft away').click();
    await button('Yes, throw it away').click();
    await page.getByRole('heading', { name: 'Today' }).waitFor();
    assert.equal(field.mock.world.drafts.size, 0);
  });

  async function addPhoto() {
    await page
      .locator('input[type=file]')
      .last()
      .setInputFiles(await picture(page));
    const photo = page.getByAltText('Photo 1');
    await until(() => photo.evaluate((img) => img.naturalWidth === 1_600), 'the photo, made smaller');
  }

  async function sign() {
    await page.locator('canvas').scrollIntoViewIfNeeded();
    const box = await page.locator('canvas').boundingBox();
    await page.mouse.move(box.x + 40, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 70, { steps: 5 });
    await page.mouse.up();
  }
});
