import { describe, expect, it } from 'vitest';
import { excess, FIELD_MAX, PAGE_MAX, sizesOf, wholeLimit, wholeOf } from './size.mjs';

// Random letters do not compress: each is worth some six bits.
const noise = (letters) =>
  Array.from({ length: letters }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join('');

const chunk = (fileName, letters, more = {}) => ({
  type: 'chunk',
  fileName,
  code: noise(letters),
  imports: [],
  facadeModuleId: `/x/src/${fileName}`,
  ...more,
});

function bundle(pageLetters) {
  const files = [
    chunk('index.js', 2_000, {
      isEntry: true,
      imports: ['app.js'],
      viteMetadata: { importedCss: ['index.css'] },
    }),
    chunk('app.js', 3_000, { imports: ['index.js'] }),
    chunk('page.js', pageLetters, { isDynamicEntry: true, imports: ['app.js', 'shared.js'] }),
    chunk('shared.js', 1_000),
    chunk('MinutePlot.js', 900_000, { isDynamicEntry: true }),
    { type: 'asset', fileName: 'index.css', source: noise(500) },
  ];
  return Object.fromEntries(files.map((it) => [it.fileName, it]));
}

describe('the limit of size', () => {
  it('counts what is loaded once, styles too, plots not', () => {
    const sizes = sizesOf(bundle(10_000));
    expect(sizes.board).toBeGreaterThan(4_000);
    expect(sizes.board).toBeLessThan(6_000);
    expect(sizes.pages.map(({ name }) => name)).toEqual(['page.js']);
    expect(sizes.pages[0].bytes).toBeGreaterThan(sizes.board + 8_000);
    expect(sizes.all).toBe(sizes.pages[0].bytes);
    expect(excess(sizes)).toEqual([]);
  });

  it('names the page that is too large', () => {
    const [words, ...others] = excess(sizesOf(bundle(2 * PAGE_MAX)));
    expect(words).toMatch(/^page\.js loads \d+ bytes/);
    expect(others).toEqual([]);
  });

  it('counts a page as a whole with everything in it, and stops its build', () => {
    const said = [];
    const build = (letters) =>
      wholeLimit('the page', FIELD_MAX).generateBundle.handler.call(
        { info: () => undefined, error: (words) => said.push(words) },
        {},
        bundle(letters),
      );
    expect(wholeOf(bundle(10_000))).toBeGreaterThan(sizesOf(bundle(10_000)).all + 500_000);
    build(10_000);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^the page loads \d+ bytes/);
  });
});
