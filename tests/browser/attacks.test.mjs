// Attacks in a real browser: a script that somebody wrote into every text that is shown anywhere must be text.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launch, openBoard } from './lib/browser.mjs';
import { PASSWORD, USER, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const CREDENTIALS = { user: USER, password: PASSWORD, timezoneId: 'Asia/Shanghai' };
/** Runs, if it is taken for anything but text: as an element, out of an attribute, out of a script. */
const SCRIPT = `"'><img src="x" data-planted onerror="globalThis.ran=1"><script data-planted>ran=2</script>`;
const LINK = 'javascript:globalThis.ran=3';
const CELL = `"${SCRIPT.replaceAll('"', '""')}"`;

const CUSTOMERS = `code,name,tier,pack,region,manager,manager_email,deputy,deputy_email,contact_name,contact_phone
C001,${CELL},AAA,group-line,${CELL},${CELL},east@example.invalid,${CELL},deputy@example.invalid,${CELL},${CELL}
C002,Sample College,A,group-line,sample,manager-west,,,,duty desk,010-5550-0102
`;
const LINES = `code,customer,site,service,tier,agent,probe,interval,upstream
GX-0001,C001,${CELL},${CELL},,sample-agent,icmp://127.0.0.1,1s,${CELL}
GX-0002,C002,library,internet,,sample-agent,icmp://127.0.0.2,1s,
`;

const PAGES = [
  '',
  'customers',
  'customers/C001',
  'customers?view=managers',
  'customers?view=incomplete',
  'lines',
  'lines/GX-0001',
  'matters',
  'visits',
  'reports',
  'calls',
  'shift',
  'mine',
  'conflicts',
  'wall',
  'admin',
];

describe('a stored script', () => {
  let browser;
  let server;
  let fault;
  let matter;

  before(async () => {
    [browser, server] = [await launch(), await startServer({ customers: CUSTOMERS, lines: LINES })];
    await server.addUser('head', 'admin');
    const report = { line: 'GX-0001', channel: 'hotline', reporter: SCRIPT, description: SCRIPT };
    fault = await server.api('POST', '/faults', report);
    await server.api('POST', `/faults/${fault.id}/facts`, { kind: 'note', text: SCRIPT });
    const complaint = { kind: 'complaint', class: 'important', customer: 'C001', title: SCRIPT };
    matter = await server
      .api('POST', '/matters', { ...complaint, description: SCRIPT })
      .catch(() => server.api('POST', '/matters', complaint));
    const site = { customer: 'C001', name: SCRIPT, access_contact: SCRIPT, access_phone: LINK };
    await server
      .api('POST', '/sites', site)
      .catch(() => server.api('POST', '/sites', { customer: 'C001', name: SCRIPT }));
    await server.api('POST', '/customers/C001/risks', { reason: SCRIPT }).catch(() => undefined);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const planted = (page) =>
    page.evaluate(() => ({
      ran: globalThis.ran ?? null,
      elements: document.querySelectorAll('[data-planted]').length,
      links: [...document.querySelectorAll('a[href], area[href]')].filter((a) =>
        /^\s*(javascript|data|vbscript):/i.test(a.getAttribute('href')),
      ).length,
    }));

  for (const user of [USER, 'head']) {
    it(`is text on every page that ${user} opens, in both languages`, async () => {
      for (const locale of ['en-GB', 'zh-CN']) {
        const page = await openBoard(browser, server.url, { ...CREDENTIALS, user, locale });
        const shown = ['', 'customers', 'customers/C001', 'lines/GX-0001', `faults/${fault.id}`];
        for (const path of [...shown, ...PAGES, `fault/${fault.id}`, `matters/${matter.id}`]) {
          await page.goto(`${server.url}/#/${path}`);
          if (shown.includes(path)) {
            const isShown = async () => (await page.innerText('body')).includes('data-planted');
            await until(isShown, `the words on #/${path}`);
          }
          assert.deepEqual(await planted(page), { ran: null, elements: 0, links: 0 }, `#/${path}`);
        }
        assert.deepEqual(page.problems, []);
        await page.context().close();
      }
    });
  }

  it('would not run even as an element: the policy lets no inline script run', async () => {
    const page = await openBoard(browser, server.url, CREDENTIALS);
    await page.evaluate((html) => document.body.insertAdjacentHTML('beforeend', html), SCRIPT);
    await page.evaluate(() => {
      const script = Object.assign(document.createElement('script'), { textContent: 'globalThis.ran = 4' });
      document.body.append(script);
    });
    await until(() => page.problems.length >= 2, 'the refusals of the policy');
    assert.equal((await planted(page)).ran, null);
    await page.context().close();
  });

  it('cannot be framed, and the pages ask nobody else for anything', async () => {
    const page = await openBoard(browser, server.url, CREDENTIALS);
    const hosts = new Set();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    for (const path of PAGES) await page.goto(`${server.url}/#/${path}`);
    assert.deepEqual(page.problems, []);
    // The API's description goes without one style of its own, which the policy does not let in.
    await page.goto(`${server.url}/docs/`);
    await page.locator('.swagger-ui .info').waitFor();
    assert.deepEqual([...hosts], [new URL(server.url).host]);
    await page.goto('about:blank');
    await page.setContent(`<iframe src="${server.url}/"></iframe>`);
    const isRefused = () => page.frames().some((frame) => frame.url().startsWith('chrome-error:'));
    await until(isRefused, 'the refusal to be framed');
    await page.context().close();
  });
});
