// Administration: packs with a look at what a change would move, alerts, agents.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const ADMIN = 'sample-admin';
const PACK = new URL('../../../shared/packs/group-line.toml', import.meta.url);

describe('administration', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
    await server.addUser(ADMIN, 'admin');
    await server.report('GX-0003', 1);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = (path, options = {}) =>
    openBoard(browser, server.url, { user: ADMIN, password: PASSWORD, path: `/#/admin${path}`, ...options });

  it('shows what a new version of a pack would move, and every mistake of a broken one', async () => {
    const page = await open('');
    await page.locator('[data-pack=group-line]').waitFor();
    await page.click('[data-panel=preview] button.solid');
    await page.locator('[role=alert]', { hasText: 'Paste the pack' }).waitFor();
    await page.fill('#pack-text', 'name = "broken"\ncolour = "red"\n');
    await page.click('[data-panel=preview] button.solid');
    await page.locator('[role=alert]', { hasText: 'colour' }).waitFor();

    const text = await readFile(PACK, 'utf8');
    const changed = text.replace(/^version = ".*"$/m, 'version = "sample.2"').replaceAll('"6h"', '"5h"');
    assert.notEqual(changed, text);
    await page.fill('#pack-text', changed);
    await page.click('[data-panel=preview] button.solid');
    await page.locator('[data-moved=restoration]', { hasText: 'GX-0003' }).waitFor();
    assert.equal(await page.locator('[role=alert]', { hasText: 'colour' }).count(), 0);
    assert.deepEqual(page.problems, []);
  });

  it('says what becomes of alerts where no channel is configured', async () => {
    const page = await open('/alerts');
    await page.locator('text=No channel is configured').waitFor();
    await page.locator('text=Nothing was given up').waitFor();
  });

  it('lists agents, and gives the command that lets one in, by keys alone', async () => {
    const page = await open('/alerts');
    await page.focus('[data-part=agents]');
    await page.keyboard.press('Enter');
    await page.locator('[data-agent=sample-agent]', { hasText: 'not enrolled' }).waitFor();
    assert.equal(await page.locator('[data-qr]').count(), 0);
    await page.focus('#enrol-name');
    await page.keyboard.press('Enter');
    await page.locator('[data-form=enrol] [role=alert]').waitFor();
    await page.keyboard.type('sample-laptop');
    await page.keyboard.press('Enter');
    const command = page.locator('[data-secret]');
    await command.waitFor();
    assert.match(await command.innerText(), /^linewatch-agent enroll https:\S+:\d+ --token [\w-]{80,}$/);
    await page.locator('[data-qr]').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('keeps an agent out only when asked twice', async () => {
    const page = await open('/agents');
    const row = page.locator('[data-agent=sample-laptop]');
    await row.getByRole('button').click();
    await row.getByText('refused from now on').waitFor();
    await row.locator('button.solid').click();
    await row.getByText('kept out').waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('lets users in, changes what they may, and keeps them out; all of it is on record', async () => {
    const page = await open('/users');
    await page.locator(`[data-user=${ADMIN}]`, { hasText: 'you' }).waitFor();
    assert.equal(
      await page.locator(`[data-user=${ADMIN}] select`).count(),
      0,
      'nobody changes their own role',
    );
    await page.fill('#user-name', 'sample-duty');
    await page.fill('#user-password', 'short');
    await page.click('[data-form=user] button.solid');
    await page.locator('[data-form=user] [role=alert]').waitFor();
    await page.fill('#user-password', 'sample first password');
    await page.click('[data-form=user] button.solid');
    const row = page.locator('[data-user=sample-duty]');
    await row.waitFor();
    await row.locator('select').selectOption('manager');
    await page.locator('[role=status]', { hasText: 'account manager' }).first().waitFor();
    await row.getByRole('button', { name: 'What sample-duty sees' }).click();
    await row.locator('textarea[name=customers]').fill('C001\nnowhere');
    await row.locator('[data-form=scope] button.solid').click();
    await row.getByRole('alert').getByText('nowhere').waitFor();
    await row.locator('textarea[name=customers]').fill('C001');
    await row.locator('textarea[name=regions]').fill('sample east\nsample west');
    await row.locator('[data-form=scope] button.solid').click();
    await row.getByText('sees sample east, sample west, C001').waitFor();
    await row.getByRole('button', { name: 'Make a token' }).click();
    await page.locator('[data-secret]').waitFor();
    await row.getByRole('button', { name: 'Keep sample-duty out' }).click();
    await row.locator('button.solid').click();
    await row.getByText('kept out').waitFor();

    const trail = await open('/trail');
    await trail.locator('[data-chain=whole]', { hasText: 'whole up to entry' }).waitFor();
    await trail.fill('#trail-subject', 'sample-duty');
    await trail.click('[data-panel=trail] button[type=submit]');
    await trail.locator('[data-entry="user disabled"]', { hasText: ADMIN }).waitFor();
    assert.equal(await trail.locator('[data-entry]').count(), 5);
    assert.deepEqual([...page.problems, ...trail.problems], []);
  });

  it('replaces a text by our own, shows what it comes to, and takes it back', async () => {
    const page = await open('/texts');
    await page.locator('[data-text="restoration-missed.what"]').waitFor();
    await page.fill('[data-panel=texts] input[type=search]', 'restoration missed');
    await until(async () => (await page.locator('[data-text]').count()) < 20, 'the list to be narrowed');
    await page.click('[data-text="restoration-missed.what"] a');
    const english = page.locator('form[data-lang=en]');
    const seen = page.locator('[data-panel=text-preview]');
    await seen.locator('.subject', { hasText: 'restoration missed' }).waitFor();

    await english.locator('textarea').fill('Missed at { $sites }');
    await seen.locator('[role=alert]', { hasText: '$site,' }).waitFor();
    await english.locator('button.solid').click();
    await english.locator('[role=alert]', { hasText: 'is not given $sites' }).waitFor();
    await page.reload();
    await english.getByText('In use: as shipped').waitFor();

    await english.locator('textarea').fill('Missed at ');
    await page.getByRole('button', { name: '$site', exact: true }).click();
    await seen.locator('.subject', { hasText: 'SAMPLE-1: Missed at 样例现场 Sample site' }).waitFor();
    await english.locator('button.solid').click();
    await english.getByText(`our own, by ${ADMIN}`).waitFor();
    await english.getByText('It leaves out $due_short $late').waitFor();
    await seen.getByLabel('Learnt late').check();
    await seen.locator('.subject', { hasText: 'learnt late: Missed at' }).waitFor();
    await seen.getByLabel('Form').selectOption('html');
    const mail = page.frameLocator('[data-panel=text-preview] iframe');
    await mail.locator('td', { hasText: '样例客户' }).waitFor();

    await page.click('.back a');
    await page.getByLabel('Only our own').check();
    await until(async () => (await page.locator('[data-text]').count()) === 1, 'our own alone');
    await page.locator('[data-own=en]').waitFor();
    await page.click('[data-text] a');
    await english.getByRole('button', { name: 'Reset' }).click();
    await english.getByText('In use: as shipped').waitFor();
    assert.match(await english.locator('textarea').inputValue(), /restoration missed/);
    assert.deepEqual(page.problems, []);
  });

  it('takes a Chinese text by keys alone, and says in Chinese why one cannot be', async () => {
    const page = await open('/texts/subject', { locale: 'zh-CN' });
    const chinese = page.locator('form[data-lang=zh]');
    await chinese.locator('textarea').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('【样例电信】{ $whom }');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await chinese.locator('[role=alert]', { hasText: '可用：$customer $line $tier $what' }).waitFor();
    await chinese.locator('textarea').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('【样例电信】{ $line }：{ $what }');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await chinese.getByText(`自定义文案（${ADMIN}`).waitFor();
    await page.locator('.subject', { hasText: '【样例电信】SAMPLE-1：抢通已超时' }).waitFor();
    assert.deepEqual(page.problems, []);
  });

  it('is for administrators only', async () => {
    const page = await open('', { user: USER });
    await page.locator('[role=alert]', { hasText: 'Your role may not do this' }).waitFor();
    assert.equal(await page.locator('[data-nav=admin]').count(), 0);
  });

  for (const [part, colorScheme] of [
    ['/packs', 'light'],
    ['/alerts', 'dark'],
    ['/texts', 'light'],
    ['/texts/restoration-missed.lead', 'dark'],
    ['/agents', 'dark'],
    ['/users', 'light'],
    ['/trail', 'dark'],
  ]) {
    it(`is fit for everybody, in Chinese and on a phone (${part}, ${colorScheme})`, async () => {
      const page = await open(part, { locale: 'zh-CN', colorScheme, viewport: { width: 390, height: 844 } });
      await page.locator('h1', { hasText: '管理' }).waitFor();
      await page.locator('[data-panel]').first().waitFor();
      assert.deepEqual(await graveFindings(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    });
  }
});
