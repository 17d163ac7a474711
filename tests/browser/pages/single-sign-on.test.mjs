// Single sign-on with a real provider: who is new, who connects an account, and who is nobody here.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard, openPage } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';

const PROGRAM = fileURLToPath(new URL('../lib/provider.mjs', import.meta.url));
const START_BOUND_MS = 30_000;

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Somebody says a name over there, and that linewatch may know it. */
async function proveAs(page, name) {
  await page.fill('input[name=login]', name);
  await page.fill('input[name=password]', 'anything');
  await page.click('button[type=submit]');
  await page.getByRole('button', { name: 'Continue' }).click();
}

describe('single sign-on', () => {
  let browser;
  let server;
  let provider;

  before(async () => {
    const port = await freePort();
    const config = `
[auth.oidc]
issuer = "http://127.0.0.1:${port}"
client_id = "linewatch"
client_secret = "sample:secret of a test"
label = "Sample Login"
scopes = ["openid", "profile", "groups"]
[auth.oidc.roles]
noc = ["watch"]
`;
    [browser, server] = [await launch(), await startServer({ config })];
    await server.addUser('root', 'admin');
    provider = spawn(process.execPath, [PROGRAM, String(port), `${server.url}/signed-in`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [provider.stdout, provider.stderr]) stream.on('data', (text) => (said += text));
    await until(
      () => said.includes('listening') || null,
      () => `the provider to be ready\n${said}`,
      START_BOUND_MS,
    );
  });
  after(async () => {
    await browser?.close();
    provider?.kill('SIGKILL');
    await server?.stop();
  });

  it('lets in who is new by groups, back to the page that was asked for', async () => {
    const page = await openPage(browser, server.url, { path: '/#/lines' });
    assert.deepEqual(await graveFindings(page), []);
    await page.getByRole('button', { name: 'Sample Login' }).click();
    await proveAs(page, 'watch.east');
    await page.locator('tr[data-code=GX-0001]').waitFor();
    assert.equal(
      new URL(page.url()).pathname + new URL(page.url()).search,
      '/',
      'nothing is left in the address',
    );
    const cookies = await page.context().cookies(server.url);
    const session = cookies.find((cookie) => cookie.name === 'linewatch_session');
    assert.deepEqual([session.httpOnly, session.sameSite], [true, 'Strict']);
    assert.equal(
      cookies.some((cookie) => cookie.name === 'linewatch_attempt'),
      false,
    );
    const { items } = await server.as('root').then((admin) => admin('GET', '/users'));
    const made = items.find((user) => user.name === 'watch.east');
    assert.deepEqual([made.role, made.single_sign_on], ['noc', true]);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it('tells who is nobody here what to do', async () => {
    const page = await openPage(browser, server.url);
    await page.click('[data-single-sign-on]');
    await proveAs(page, 'sales.west');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /ask an administrator to link it \(subject sales\.west\)/);
    await page.locator('input[name=user]').waitFor();
    await page.context().close();
  });

  it('says that nobody signed in when it was given up over there', async () => {
    const page = await openPage(browser, server.url);
    await page.click('[data-single-sign-on]');
    await page.getByRole('link', { name: /cancel/i }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /not signed in over there/);
    await page.context().close();
  });

  it('connects an account, which then needs no password', async () => {
    const page = await openBoard(browser, server.url, { user: USER, password: PASSWORD, path: '/#/account' });
    await page.click('[data-connect]');
    await page.fill('input[name=identity-password]', PASSWORD);
    await page.getByRole('button', { name: 'Go to single sign-on' }).click();
    await proveAs(page, 'somebody');
    await page.locator('[data-connected=yes]').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await page.context().close();

    const next = await openPage(browser, server.url, { path: '/#/account' });
    await next.click('[data-single-sign-on]');
    await proveAs(next, 'somebody');
    await next.locator('[data-session=here]').waitFor();
    assert.match(await next.locator('body').innerText(), new RegExp(USER));
    await next.context().close();
  });

  it('goes on by password when the provider is gone', async () => {
    provider.kill('SIGKILL');
    await new Promise((resolve) => provider.once('exit', resolve));
    // The server knows where it was, and sends the browser to a place where nobody answers.
    const lost = await openPage(browser, server.url);
    const unanswered = lost.waitForEvent('requestfailed');
    await lost.click('[data-single-sign-on]');
    await unanswered;
    await lost.context().close();
    const page = await openPage(browser, server.url);
    await page.fill('input[name=user]', USER);
    await page.fill('input[name=password]', PASSWORD);
    await page.click('form button.solid');
    await page.locator('[data-link=live]').waitFor();
    await page.context().close();
  });
});
