// The field page before the mock of the agent's API, and a technician in front of it.

import { startField } from '../../../server/web/dev/field/server.mjs';
import { PASSWORD, PEOPLE } from '../../../server/web/dev/field/sample.mjs';

export { PASSWORD, PEOPLE, startField };

/** Signed in on the page; `problems` collects script errors and refusals of the security policy. */
export async function openField(browser, url, { path = '/', ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1024, height: 768 },
    locale: 'en-GB',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on(
    'console',
    (message) => /Content Security Policy/i.test(message.text()) && problems.push(message.text()),
  );
  await page.goto(url + path);
  await page.getByRole('button', { name: PEOPLE[0] }).click();
  await page.locator('input[type=password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').waitFor();
  return Object.assign(page, { problems });
}
