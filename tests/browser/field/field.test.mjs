// The technician's page before the mock of the agent's API: every screen, both languages, by keyboard, without grave findings
// of the accessibility checker.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch } from '../lib/browser.mjs';
import { openField, PASSWORD, PEOPLE, startField } from '../lib/field.mjs';
import { until } from '../lib/wait.mjs';

const FAULT = '00000000-0000-7000-8000-000000000001';
const ROUND = '00000000-0000-7000-8000-000000000101';
const DEFECT = '00000000-0000-7000-8000-000000000102';
const TARGET_PX = 44;
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
  const draftOf = () => [...field.mock.world.drafts.values()][0]?.draft;

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

  describe('writing a report', () => {
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
      await page
        .getByRole('combobox', { name: 'Form' })
        .selectOption({ label: 'Round of an equipment room' });
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
      assert.deepEqual(await graveFindings(page), []);
      field.mock.world.dead = false;
      await saved();
      assert.equal(draftOf().purpose, 'sample purpose');
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
  });

  /** A picture made by the browser itself: larger than what is kept. */
  async function addPhoto() {
    const bytes = await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 3_200, height: 2_400 });
      canvas.getContext('2d').fillRect(0, 0, 1_600, 2_400);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg'));
      return [...new Uint8Array(await blob.arrayBuffer())];
    });
    const file = { name: 'sample.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(bytes) };
    await page.locator('input[type=file]').last().setInputFiles(file);
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

/** What is to be touched and is too small for it. */
function tooSmall(page) {
  return page.evaluate((least) => {
    const shown = [...document.querySelectorAll('a, button, select, input, textarea, label.check')];
    return shown
      .filter((it) => !it.closest('.unseen, .skip') && !it.matches('[type=radio], [type=checkbox]'))
      .map((it) => ({ it, box: it.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.height < least - 0.5 || box.width < least - 0.5))
      .map(({ it, box }) => `${it.tagName} ${it.textContent.trim().slice(0, 30)} ${box.width}×${box.height}`);
  }, TARGET_PX);
}
