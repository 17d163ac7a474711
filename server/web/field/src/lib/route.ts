// The part of the address after `#`: which screen is open, and what of it. An address that says nothing known is Today.

export const SCREENS = [
  'fault',
  'lines',
  'customers',
  'matter',
  'report',
  'take-in',
  'new-visit',
  'draft',
  'visit',
  'saved',
  'doctor',
] as const;
export type Screen = 'today' | (typeof SCREENS)[number];

export interface Route {
  screen: Screen;
  /** What stands behind its name: an id, or a code. */
  of: string | null;
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [name = '', of = ''] = path.split('/').map(decoded);
  const screen = (SCREENS as readonly string[]).includes(name) ? (name as Screen) : 'today';
  return { screen, of: (screen !== 'today' && of) || null, query: new URLSearchParams(query) };
}

/** The address of a screen: `hrefOf('fault', id)`, `hrefOf('report', null, { line: 'GX-1' })`. */
export function hrefOf(
  screen: Screen,
  of: string | null = null,
  query: Record<string, string | null | undefined> = {},
): string {
  if (screen === 'today') return '#/';
  const given = Object.entries(query).filter((it): it is [string, string] => Boolean(it[1]));
  const rest = given.length ? `?${new URLSearchParams(given)}` : '';
  return `#/${screen}${of === null ? '' : `/${encodeURIComponent(of)}`}${rest}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
