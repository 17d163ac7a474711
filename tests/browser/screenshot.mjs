// Saves a picture of the board: node screenshot.mjs URL USER PASSWORD OUT.png [en|zh]

import { launch, openBoard } from './lib/browser.mjs';

const [url, user, password, out, language = 'en'] = process.argv.slice(2);
if (!out || !['en', 'zh'].includes(language)) {
  process.stderr.write('usage: node screenshot.mjs URL USER PASSWORD OUT.png [en|zh]\n');
  process.exit(2);
}

const browser = await launch();
try {
  const locale = language === 'zh' ? 'zh-CN' : 'en-GB';
  const page = await openBoard(browser, url, { user, password, locale, timezoneId: 'Asia/Shanghai' });
  await page.locator('tr[data-fault]').first().waitFor();
  await page.screenshot({ path: out });
} catch (error) {
  process.stderr.write(`screenshot: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
