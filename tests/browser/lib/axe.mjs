// What axe, the accessibility checker, finds wrong with a page.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const GRAVE = ['serious', 'critical'];

/** The rules that a page breaks badly, each with the places. */
export async function graveFindings(page) {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations
    .filter((found) => GRAVE.includes(found.impact))
    .map(
      (found) =>
        `${found.id}: ${found.help} — ${found.nodes.map((node) => node.target.join(' ')).join('; ')}`,
    );
}
