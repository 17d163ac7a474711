// The part of the address after `#`: which page is open, and what of it. Alerts link to it, and it can be copied.
//
// `#/?…` is the board, narrowed by what stands behind the `?`; `#/faults/ID` the same with that fault's drawer open; every other page is `#/NAME/…`, with what narrows it
// behind a `?`. An address that says nothing known is the board.

export const PAGES = [
  'fault',
  'lines',
  'customers',
  'calls',
  'matters',
  'visits',
  'conflicts',
  'shift',
  'reports',
  'admin',
  'mine',
  'account',
] as const;
/** A page beside the board. */
export type PageName = (typeof PAGES)[number];

export interface Route {
  page: 'board' | 'wall' | PageName;
  /** What stands behind the page's name, decoded. */
  rest: string[];
  query: URLSearchParams;
}

const FAULT = /^#\/faults\/([^/?#]+)$/;
const NAMES: readonly string[] = [...PAGES, 'wall'];

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [name = '', ...rest] = path.split('/').map(decoded);
  if (!NAMES.includes(name))
    return { page: 'board', rest: [], query: new URLSearchParams(name ? '' : query) };
  const page = name as Route['page'];
  return { page, rest: rest.filter((part) => part !== ''), query: new URLSearchParams(query) };
}

/** The address of a page: `hrefOf('customers', 'C001')`. */
export function hrefOf(page: 'board' | 'wall' | PageName, ...rest: string[]): string {
  return page === 'board' ? '#/' : `#/${[page, ...rest].map(encodeURIComponent).join('/')}`;
}

/** What stands behind a `?`: the fields that have a value. */
export function queryOf(fields: Record<string, string | null | undefined>): string {
  const given = Object.entries(fields).filter(
    (field): field is [string, string] => typeof field[1] === 'string',
  );
  return new URLSearchParams(given).toString();
}

/** The fault whose drawer is open on the board. */
export function faultInHash(hash: string): string | null {
  const named = FAULT.exec(hash)?.[1];
  return named ? decoded(named) || null : null;
}

export function hashOf(fault: string | null): string {
  return fault === null ? '' : `#/faults/${encodeURIComponent(fault)}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
