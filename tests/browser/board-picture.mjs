// Saves a picture of the real board with sample faults: node board-picture.mjs OUT.png [en|zh]
// Starts the server that LINEWATCH_SERVER names (default: the debug build) on data of its own and ends it again.

import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, openBoard } from './lib/browser.mjs';
import { PASSWORD, USER, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { customersCsv, linesCsv, tellAll } from './sample.mjs';

const LOCALES = { en: 'en-GB', zh: 'zh-CN' };
const DESK = { width: 1366, height: 768 };
const PHONE = { width: 390, height: 844 };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dark: { type: 'boolean' },
    phone: { type: 'boolean' },
    /** Opens the fault of this line, taking the step that is named after a colon. */
    open: { type: 'string' },
  },
});
const [out, language = 'en'] = positionals;
if (!out || !LOCALES[language]) {
  process.stderr.write(
    'usage: node board-picture.mjs [--dark] [--phone] [--open LINE[:STEP]] OUT.png [en|zh]\n',
  );
  process.exit(2);
}

let server;
let browser;
try {
  server = await startServer({ customers: customersCsv, lines: linesCsv });
  const faults = await tellAll((...args) => server.api(...args), Date.now());
  browser = await launch();
  const page = await openBoard(browser, server.url, {
    user: USER,
    password: PASSWORD,
    locale: LOCALES[language],
    timezoneId: 'Asia/Shanghai',
    viewport: options.phone ? PHONE : DESK,
    colorScheme: options.dark ? 'dark' : 'light',
  });
  await until(async () => (await page.locator('tr[data-fault]').count()) === faults, `${faults} rows`);
  if (options.open) await openFault(page, ...options.open.split(':'));
  await page.mouse.move(0, 0);
  await mkdir(dirname(resolve(out)), { recursive: true });
  await page.screenshot({ path: out });
  process.stdout.write(`${out}: ${faults} sample faults\n`);
} catch (error) {
  process.stderr.write(`board-picture: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  await server?.stop();
}

async function openFault(page, line, step) {
  await page.locator(`tr[data-line="${line}"]`).click();
  await page.locator('[data-fact]').first().waitFor();
  await page.locator('aside').evaluate((it) => Promise.all(it.getAnimations().map((a) => a.finished)));
  if (step) await page.click(`[data-choose=${step}]`);
}
