// What surrounds every page.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { graveFindings } from '../lib/axe.mjs';
import { launch, openBoard } from '../lib/browser.mjs';
import { PASSWORD, USER, startServer } from '../lib/server.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD };

describe('the shell', () => {
  let browser;
  let server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  it('reports a fault from any address, and shows it', async () => {
    const [line] = await server.lines();
    const page = await openBoard(browser, server.url, { ...CREDENTIALS, path: '/#/nowhere' });
    await page.keyboard.press('n');
    await page.fill('#report-line', line);
    await page.locator('#report-line-list [role=option]', { hasText: line }).click();
    await page.click('dialog button.solid');
    await page.locator('aside[data-drawer]').waitFor();
    assert.match(await page.evaluate(() => location.hash), /^#\/faults\//);
    assert.deepEqual(await graveFindings(page), []);
    assert.deepEqual(page.problems, []);
  });
});
