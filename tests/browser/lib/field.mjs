// The field page before the mock of the agent's API, and a technician in front of it.

import { startField } from '../../../server/web/dev/field/server.mjs';
import { PASSWORD, PEOPLE } from '../../../server/web/dev/field/sample.mjs';

const TARGET_PX = 44;

/** What a camera writes into a photo: 31°13′49.5″ N, 121°28′12″ E. */
const EXIF = Buffer.from(
  '/+EAiEV4aWYAAElJKgAIAAAAAQAliAQAAQAAABoAAAAAAAAABAABAAIAAgAAAE4AAAACAAUAAwAAAFAAAAADAAIAAgAAAEUAAAAEAAUAAwAAAGgAAAAAAAAAHwAAAAEAAAANAAAAAQAAAFYTAABkAAAAeQAAAAEAAAAcAAAAAQAAAAwAAAABAAAA',
  'base64',
);

export { PASSWORD, PEOPLE, startField };

/** Before anybody has signed in; `problems` collects script errors and refusals of the security policy. */
export async function visitField(browser, url, { path = '/', ...options } = {}) {
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
  await page.getByRole('button', { name: PEOPLE[0] }).waitFor();
  return Object.assign(page, { problems });
}

/** Signed in on the page. */
export async function openField(browser, url, options) {
  const page = await visitField(browser, url, options);
  await page.getByRole('button', { name: PEOPLE[0] }).click();
  await page.locator('input[type=password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').waitFor();
  return page;
}

/** What is to be touched and is too small for it. */
export function tooSmall(page) {
  return page.evaluate((least) => {
    const shown = [...document.querySelectorAll('a, button, select, input, textarea, label.check')];
    return shown
      .filter((it) => !it.closest('.unseen, .skip') && !it.matches('[type=radio], [type=checkbox]'))
      .map((it) => ({ it, box: it.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.height < least - 0.5 || box.width < least - 0.5))
      .map(({ it, box }) => `${it.tagName} ${it.textContent.trim().slice(0, 30)} ${box.width}×${box.height}`);
  }, TARGET_PX);
}

/** A photo as a camera makes it, made by the browser itself: larger than what is kept, with the place in it. */
export async function picture(page, shade = '#345') {
  const bytes = await page.evaluate(async (colour) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 3_200, height: 2_400 });
    const brush = canvas.getContext('2d');
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1_600, 2_400);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg'));
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, shade);
  const plain = Buffer.from(bytes);
  const buffer = Buffer.concat([plain.subarray(0, 2), EXIF, plain.subarray(2)]);
  return { name: 'sample.jpg', mimeType: 'image/jpeg', buffer };
}
