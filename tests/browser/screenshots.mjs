// Makes a picture of every page with sample data, in both languages: node screenshots.mjs OUT_DIR [NAME…]
// Fails where a page shows an error, nothing, or what goes over its edge. LINEWATCH_SERVER and LINEWATCH_AGENT name the programs.

import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, openBoard } from './lib/browser.mjs';
import { withMinutes } from './lib/minutes.mjs';
import { PASSWORD, USER } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { prepareField, SCREENS, signField } from './screens/field.mjs';
import { findings } from './screens/findings.mjs';
import { PAGES } from './screens/pages.mjs';
import { startDesk } from './screens/sample/desk.mjs';
import { lossOf } from './screens/sample/faults.mjs';
import { ZONE } from './screens/sample/time.mjs';

const LANGUAGES = { en: 'en-GB', zh: 'zh-CN' };
const DESK = { width: 1366, height: 768 };
const LOADING = /Loading …|正在加载…/;
const READY_BOUND_MS = 20_000;
/** How long ago the line whose minutes are shown fell out. */
const OUT_FOR_MIN = 131;

const [out, ...names] = process.argv.slice(2);
const isWanted = ({ name }) => !names.length || names.includes(name);
const [wanted, onSite] = [PAGES.filter(isWanted), SCREENS.filter(isWanted)];
if (!out || !(wanted.length + onSite.length)) {
  process.stderr.write('usage: node screenshots.mjs OUT_DIR [NAME…]\n');
  process.exit(2);
}

const wrong = (await Promise.all(Object.keys(LANGUAGES).map(picture))).flat();
for (const one of wrong) process.stderr.write(`${one}\n`);
process.exitCode = wrong.length ? 1 : 0;

/** Every picture in one language; the answer is what is wrong. */
async function picture(language) {
  const wrong = [];
  let browser;
  let desk;
  try {
    [browser, desk] = [await launch(), await startDesk(language)];
    const viewers = new Map();
    for (const entry of wanted) {
      const key = JSON.stringify([entry.as, entry.size, entry.dark]);
      if (!viewers.has(key)) viewers.set(key, await sign(browser, desk, language, entry));
      const found = await take(viewers.get(key), desk, language, entry);
      wrong.push(...found.map((it) => `${language}/${entry.name}: ${it}`));
    }
    if (onSite.length) wrong.push(...(await pictureField(browser, desk, language)));
  } catch (error) {
    wrong.push(`${language}: ${error.stack}`);
  } finally {
    await browser?.close();
    await desk?.stop();
  }
  return wrong;
}

/** The technician's page, which the agent serves. */
async function pictureField(browser, { agent }, language) {
  const wrong = [];
  const options = { locale: LANGUAGES[language], timezoneId: ZONE };
  const ids = await prepareField(browser, agent.url, options, language);
  for (const entry of onSite) {
    const page = await signField(browser, agent.url, options, entry);
    const found = await take(page, { ids }, language, entry);
    wrong.push(...found.map((it) => `${language}/${entry.name}: ${it}`));
    await page.context().close();
  }
  return wrong;
}

async function sign(browser, { server, ids }, language, { as = USER, size = DESK, dark = false, path }) {
  const page = await openBoard(browser, server.url, {
    user: as,
    password: PASSWORD,
    path: `/#/${path(ids)}`,
    locale: LANGUAGES[language],
    timezoneId: ZONE,
    viewport: size,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  page.on('response', (it) => it.status() >= 400 && page.problems.push(`${it.status()} ${it.url()}`));
  page.on(
    'console',
    (it) => it.type() === 'error' && !/^Failed to load/.test(it.text()) && page.problems.push(it.text()),
  );
  await withMinutes(page, 'GX-0101', lossOf(OUT_FOR_MIN, Date.now()));
  return page;
}

async function take(page, { ids }, language, { name, path, ready, size = DESK, empty = false, inVain }) {
  page.problems.length = 0;
  await page.evaluate((to) => (location.hash = to), `#/${path(ids)}`);
  try {
    await page.locator(ready).first().waitFor({ timeout: READY_BOUND_MS });
    await until(async () => !LOADING.test(await page.locator('body').innerText()), 'all to be read');
    await page.evaluate(async () => {
      await document.fonts.ready;
      document.activeElement?.blur();
      await Promise.all(document.getAnimations().map((one) => one.finished));
    });
  } catch (error) {
    return [`not ready: ${error.message.split('\n')[0]}`];
  }
  await page.mouse.move(0, 0);
  const found = await findings(page, { language, mayBeEmpty: empty, isPhone: size.width < 600 });
  const file = join(out, language, `${name}.png`);
  await mkdir(join(out, language), { recursive: true });
  await page.screenshot({ path: file, animations: 'disabled' });
  await shrink(file);
  return [...found, ...page.problems.filter((problem) => !inVain?.test(problem))];
}

/** To a palette: a third of the size, and no difference to see. */
async function shrink(file) {
  const child = spawn('pngquant', ['--force', '--ext', '.png', '--speed', '1', '--strip', '128', file]);
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`pngquant ${file}: exit ${code}`);
}
