// Keeps the page small: a build fails when the board, or any page with all that it loads, outgrows its limit. Plots are
// left out: they are loaded when there is something to plot.

import { gzipSync } from 'node:zlib';

/** Bytes, gzipped, of everything that has to be loaded before the board, or a page, stands. */
export const PAGE_MAX = 200_000;
/** The board itself is what most people open, and on the worst lines. */
export const BOARD_MAX = 100_000;
/** The technician's page is one of the agent's parts: everything together, plots too. */
export const FIELD_MAX = 120_000;
const PLOT = /Plot/;

/** @returns {import('vite').Plugin} */
export function sizeLimit() {
  return {
    name: 'size-limit',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const sizes = sizesOf(bundle);
        this.info(describe(sizes));
        const tooLarge = excess(sizes);
        if (tooLarge.length) this.error(tooLarge.join('\n'));
      },
    },
  };
}

/**
 * For a page that is small as a whole.
 * @returns {import('vite').Plugin}
 */
export function wholeLimit(what, limit) {
  return {
    name: 'whole-limit',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const bytes = wholeOf(bundle);
        this.info(`${what}, gzipped: ${bytes} bytes (at most ${limit})`);
        const [tooLarge] = over(what, bytes, limit);
        if (tooLarge) this.error(tooLarge);
      },
    },
  };
}

/** Everything of a bundle together, in bytes. */
export const wholeOf = (bundle) => Object.values(bytesOf(bundle)).reduce((all, bytes) => all + bytes, 0);

const bytesOf = (bundle) =>
  Object.fromEntries(
    Object.values(bundle).map((it) => [it.fileName, gzipSync(it.code ?? it.source, { level: 9 }).length]),
  );

/** What the board, and each page beside it, makes a browser load, in bytes; and everything together. */
export function sizesOf(bundle) {
  const bytes = bytesOf(bundle);
  const sum = (files) => [...files].reduce((all, name) => all + (bytes[name] ?? 0), 0);
  const chunks = Object.values(bundle).filter((it) => it.type === 'chunk' && !PLOT.test(it.fileName));
  const entry = chunks.find((it) => it.isEntry);
  const board = loaded(bundle, [entry.fileName]);
  const pages = chunks
    .filter((it) => it.isDynamicEntry)
    .map((it) => {
      const name = (it.facadeModuleId ?? it.fileName).replace(/^.*\/src\//, '');
      return { name, bytes: sum(loaded(bundle, [entry.fileName, it.fileName])) };
    });
  const all = Object.keys(bytes).filter((name) => !PLOT.test(name));
  return { board: sum(board), pages: pages.sort((a, b) => b.bytes - a.bytes), all: sum(all) };
}

/** Files that are loaded with these: what they import, and its styles. */
function loaded(bundle, names) {
  const files = new Set();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (files.has(name)) continue;
    files.add(name);
    const chunk = bundle[name];
    queue.push(...(chunk?.imports ?? []), ...(chunk?.viteMetadata?.importedCss ?? []));
  }
  return files;
}

/** What is too large, in words. */
export function excess({ board, pages }) {
  return [
    ...over('the board', board, BOARD_MAX),
    ...pages.flatMap(({ name, bytes }) => over(name, bytes, PAGE_MAX)),
  ];
}

const over = (what, bytes, limit) =>
  bytes > limit ? [`${what} loads ${bytes} bytes (gzip), ${limit} are the limit`] : [];

const describe = ({ board, pages, all }) =>
  `gzipped, without plots: board ${board} bytes (at most ${BOARD_MAX}), largest page ${pages[0]?.name} with it ` +
  `${pages[0]?.bytes} (at most ${PAGE_MAX}), everything ${all}`;
