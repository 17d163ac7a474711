import { afterEach, describe, expect, it, vi } from 'vitest';
import { isOutdated, programOf } from './version';

const page = (name: string) =>
  `<head><script type="module" crossorigin src="/assets/${name}.js"></script></head>`;
const answer = (text: string, status = 200) => vi.fn(async () => new Response(text, { status }));

describe('the version of the page', () => {
  afterEach(() => vi.unstubAllGlobals());
  const own = (src: string | null) =>
    vi.stubGlobal('document', { querySelector: () => (src ? { getAttribute: () => src } : null) });

  it('is told by the program it begins with', () => {
    expect(programOf(page('a1'))).toBe('/assets/a1.js');
    expect(programOf('<p>built without its board')).toBeNull();
  });

  it('is old only where the server serves another one', async () => {
    own('/assets/a1.js');
    expect(await isOutdated(answer(page('b2')))).toBe(true);
    expect(await isOutdated(answer(page('a1')))).toBe(false);
    expect(await isOutdated(answer('bad gateway', 502))).toBe(false);
    expect(await isOutdated(answer('<p>starting'))).toBe(false);
    expect(await isOutdated(() => Promise.reject(new Error('cut')))).toBe(false);
    own(null);
    expect(await isOutdated(answer(page('b2')))).toBe(false);
  });
});
