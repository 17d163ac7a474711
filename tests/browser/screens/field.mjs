// Every screen of the technician's page of which a picture is made, and what has to be written on it before.
//
// As in `pages.mjs`: `path(ids)` is its address behind `#/`; `ready` must be seen; `empty`: an empty state may be on it; `size`
// and `dark` of the picture (a tablet's, and light otherwise); `signedOut`: before anybody has signed in.

import { minutes } from '../../../server/web/dev/field/sample.mjs';
import { openField, picture, visitField } from '../lib/field.mjs';
import { until } from '../lib/wait.mjs';

const TABLET = { width: 1024, height: 768 };
const PHONE = { width: 390, height: 844 };

export const SCREENS = [
  { name: 'field-sign-in', path: () => '', ready: '.people button', signedOut: true },
  { name: 'field-today', path: () => '', ready: '[data-panel=faults] [data-due]' },
  { name: 'field-today-phone', path: () => '', ready: '[data-panel=faults] [data-due]', size: PHONE },
  { name: 'field-today-dark', path: () => '', ready: '[data-panel=faults] [data-due]', dark: true },
  { name: 'field-fault', path: ({ fault }) => `fault/${fault}`, ready: '[data-panel=facts] time' },
  { name: 'field-lines', path: () => 'lines', ready: '[data-line-state]' },
  { name: 'field-line', path: ({ line }) => `lines/${line}`, ready: '[data-panel=hours] canvas' },
  { name: 'field-customer', path: ({ customer }) => `customers/${customer}`, ready: '[data-panel=owed] a' },
  { name: 'field-report-fault', path: ({ line }) => `report?line=${line}`, ready: '[data-form=report]' },
  {
    name: 'field-take-in',
    path: ({ customer }) => `take-in?customer=${customer}`,
    ready: '[data-form=take-in]',
  },
  { name: 'field-matter', path: ({ matter }) => `matter/${matter}`, ready: '[data-panel=steps] button' },
  { name: 'field-report', path: ({ draft }) => `draft/${draft}`, ready: '[data-save=saved]' },
  {
    name: 'field-report-phone',
    path: ({ draft }) => `draft/${draft}`,
    ready: '[data-save=saved]',
    size: PHONE,
  },
  { name: 'field-visit', path: ({ visit }) => `visit/${visit}`, ready: 'article' },
  { name: 'field-saved', path: () => 'saved', ready: '[data-panel=saved] li' },
  { name: 'field-doctor', path: () => 'doctor', ready: '[data-panel=doctor] li' },
];

/** Somebody before the page as the picture needs it. */
export async function signField(browser, url, options, { size = TABLET, dark = false, signedOut = false }) {
  const open = signedOut ? visitField : openField;
  const page = await open(browser, url, { ...options, viewport: size, colorScheme: dark ? 'dark' : 'light' });
  // The agent has just begun to probe: hours are not there yet.
  await page.route('**/minutes?*', (route) => route.fulfill({ json: { minutes: minutes(Date.now(), 3) } }));
  return page;
}

/** Writes a report to its end, and begins another: the ids of what the pictures are made of. */
export async function prepareField(browser, url, options, language) {
  const say = (zh, en) => (language === 'zh' ? zh : en);
  const page = await openField(browser, url, { ...options, viewport: TABLET });
  const work = () => page.evaluate(async () => (await fetch('/api/work')).json());
  const [{ code: line, customer }] = (await work()).lines;
  const submit = (name) => page.locator(`[data-form=${name}] button.solid`).click();
  const fillIn = async (words) => {
    for (const [end, text] of Object.entries(words)) await page.locator(`form [id$=${end}]`).fill(text);
  };
  const done = () => page.getByRole('heading', { name: say('今日', 'Today') }).waitFor();

  await page.goto(`${url}/#/report?line=${line}`);
  await fillIn({
    '-description': say('端口无光', 'no light at the port'),
    '-reporter': say('值班人员', 'duty desk'),
  });
  await submit('report');
  await done();
  await page.goto(`${url}/#/take-in?customer=${customer}`);
  await page.locator('[data-form=take-in] input[value=request]').check({ force: true });
  await fillIn({
    '-title': say('增加一条备用线路', 'a spare line'),
    '-reporter': say('值班人员', 'duty desk'),
  });
  await submit('take-in');
  await done();
  // The one is shown at once; the other when the server has told of it.
  const fault = await until(
    async () => (await work()).faults.find((it) => it.line === line)?.id,
    'the fault',
  );
  const matter = await until(
    async () => (await work()).matters.find((it) => it.possible.length)?.id,
    'the request',
    60_000,
  );
  const begin = async () => {
    await page.goto(`${url}/#/new-visit?customer=${customer}&line=${line}&fault=${fault}`);
    await page.locator('form button.solid').click();
    await page.locator('#report-purpose').fill(say('恢复专线', 'bringing the line back'));
    await page.locator('#report-met').fill(say('值班人员', 'duty desk'));
    await page.locator('#report-form').selectOption({ label: say('专线现场作业', 'Work on a line') });
    await page.locator('#a-medium input').first().check({ force: true });
    await page.locator('#answer-optical_power').fill('-27.5');
    for (const name of ['wrist_strap', 'labels', 'cleared'])
      await page.locator(`#a-${name} input`).first().check({ force: true });
    await page.locator('#report-findings').fill(say('尾纤弯折，已更换', 'a bent patch cord, replaced'));
    const id = /draft\/([0-9a-f-]+)/.exec(page.url())[1];
    return id;
  };
  const visit = await begin();
  await page
    .locator('input[type=file]')
    .last()
    .setInputFiles(await picture(page));
  await page.locator('#caption-0').fill(say('更换后的尾纤', 'the patch cord, replaced'));
  await page.locator('#report-signed-by').fill(say('样例人员', 'Sample Person'));
  await sign(page);
  await page.locator('[data-panel=section-finish] button.solid').click();
  await page.locator('article').waitFor();
  const draft = await begin();
  await page.locator('[data-save=saved]').waitFor();
  await page.context().close();
  return { fault, line, customer, matter, visit, draft };
}

async function sign(page) {
  const pad = page.locator('canvas');
  await pad.scrollIntoViewIfNeeded();
  const { x, y } = await pad.boundingBox();
  const kept = page.waitForResponse(/role=signature/);
  await page.mouse.move(x + 40, y + 90);
  await page.mouse.down();
  for (let i = 1; i <= 40; i += 1) await page.mouse.move(x + 40 + 6 * i, y + 90 + 30 * Math.sin(i / 4));
  await page.mouse.up();
  await kept;
}
