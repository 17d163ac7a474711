// One's own account: the second factor, where one is signed in, tokens.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };
/** Two ticks of the stream, and a connection. */
const ENDED_BOUND_MS = 15_000;
const STEP_MS = 30_000;

/** What an authenticator app shows (RFC 6238), `ahead` steps from now. */
function codeOf(secret, ahead = 0) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((c) => digits.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + ahead));
  const hash = createHmac('sha1', key).update(step).digest();
  const at = hash.at(-1) & 0xf;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

async function signIn(page, password = PASSWORD) {
  await page.fill('input[name=user]', USER);
  await page.fill('input[name=password]', password);
  await page.click('form button.solid');
}

describe('the own account', () => {
  let browser;
  let server;
  let secret;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  it('shows where one is signed in, and signs out everywhere', async () => {
    const [here, elsewhere] = [
      await openBoard(browser, server.url, { ...CREDENTIALS, path: '/#/account' }),
      await openBoard(browser, server.url, CREDENTIALS),
    ];
    await here.locator('[data-session=here]').waitFor();
    await here.locator('[data-session=elsewhere]').first().waitFor();
    assert.deepEqual(await graveFindings(here), []);
    await here.click('[data-ask-everywhere]');
    await here.click('[data-sign-out-everywhere]');
    await here.locator('input[name=user]').waitFor();
    await elsewhere.locator('input[name=user]').waitFor({ timeout: ENDED_BOUND_MS });
    assert.deepEqual([here.problems, elsewhere.problems], [[], []]);
  });

  it('sets a second factor up, and asks for its code from then on', async () => {
    const page = await openBoard(browser, server.url, { ...CREDENTIALS, path: '/#/account' });
    await page.locator('[data-factor=off]').waitFor();
    await page.click('[data-set-up]');
    await page.fill('[name=factor-password]', 'not-this-password');
    await page.click('[data-form=set-up-factor] button.solid');
    await page.locator('[data-form=set-up-factor] [role=alert]').waitFor();
    await page.fill('[name=factor-password]', PASSWORD);
    await page.click('[data-form=set-up-factor] button.solid');
    await page.locator('[data-qr]').waitFor();
    secret = await page.locator('[data-secret]').innerText();
    assert.match(secret, /^[A-Z2-7]{32}$/);
    assert.deepEqual(await graveFindings(page), []);
    await page.fill('[name=code]', codeOf(secret, -1));
    await page.click('[data-form=confirm-factor] button.solid');
    await page.locator('[data-recovery-codes] li').nth(9).waitFor();
    const recovery = await page.locator('[data-recovery-codes] li').first().innerText();
    await page.click('[data-kept]');
    await page.locator('[data-factor=on]').waitFor();

    await page.locator('[data-user-menu] summary').click();
    await page.click('[data-sign-out]');
    await signIn(page);
    await page.fill('[name=code]', '000000');
    await page.click('[data-form=second-factor] button.solid');
    await page.locator('[data-form=second-factor] [role=alert]').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await page.fill('[name=code]', codeOf(secret));
    await page.click('[data-form=second-factor] button.solid');
    await page.locator('[data-link=live]').waitFor();

    await page.locator('[data-user-menu] summary').click();
    await page.click('[data-sign-out]');
    await signIn(page);
    await page.fill('[name=code]', recovery.trim().toLowerCase());
    await page.click('[data-form=second-factor] button.solid');
    await page.locator('[data-link=live]').waitFor();
  });
});
