// What of the board is shown: a view. It stands in the address, and can be kept under a name. Pure.

import { queryOf } from './route';
import { finder, type Filter, type Row } from './rows';

export const FILTERS: readonly Filter[] = ['all', 'missed', 'slipping', 'calm', 'paused'];
/** The owner that stands for whoever is signed in. */
export const MINE = '@me';

export interface View {
  filter: Filter;
  words: string;
  region: string;
  tier: string;
  owner: string;
  state: string;
}

export interface NamedView {
  name: string;
  /** As it stands in the address. */
  query: string;
}

export const EVERYTHING: View = { filter: 'all', words: '', region: '', tier: '', owner: '', state: '' };

export function readView(query: URLSearchParams): View {
  const text = (name: string) => query.get(name) ?? '';
  return {
    filter: FILTERS.find((filter) => filter === query.get('show')) ?? 'all',
    words: text('find'),
    region: text('region'),
    tier: text('tier'),
    owner: text('owner'),
    state: text('state'),
  };
}

/** What stands in the address behind `?`; empty for everything. */
export function writeView(view: View): string {
  const given = (text: string) => text.trim() || null;
  return queryOf({
    show: view.filter === 'all' ? null : view.filter,
    find: given(view.words),
    region: given(view.region),
    tier: given(view.tier),
    owner: given(view.owner),
    state: given(view.state),
  });
}

/** The rows that the view's choices leave, whatever their urgency. */
export function chosen(rows: readonly Row[], view: View, user: string): readonly Row[] {
  const owner = view.owner === MINE ? user : view.owner;
  const has = finder(view.words);
  if (!has && !view.region && !view.tier && !owner && !view.state) return rows;
  return rows.filter(
    ({ fault }) =>
      (!view.region || fault.region === view.region) &&
      (!view.tier || fault.tier === view.tier) &&
      (!owner || fault.owner === owner) &&
      (!view.state || fault.state === view.state) &&
      (!has || has(fault)),
  );
}

/** What there is to choose from: what open faults have, in their order of importance or of the alphabet. */
export function choices(rows: readonly Row[]): {
  regions: string[];
  tiers: [string, Row['fault']['tier_label']][];
  owners: string[];
} {
  const [regions, owners] = [new Set<string>(), new Set<string>()];
  const tiers = new Map<string, Row['fault']['tier_label']>();
  for (const { fault } of rows) {
    if (fault.region) regions.add(fault.region);
    if (fault.owner) owners.add(fault.owner);
    tiers.set(fault.tier, fault.tier_label);
  }
  return {
    regions: [...regions].sort(),
    tiers: [...tiers].sort(([a], [b]) => (a < b ? -1 : 1)),
    owners: [...owners].sort(),
  };
}

/** The views that were kept; what is unreadable is none. */
export function readViews(text: string | null): NamedView[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.filter((it) => typeof it?.name === 'string' && typeof it?.query === 'string');
  } catch {
    return [];
  }
}

/** The views with one more; one of the same name is replaced. */
export function withView(views: readonly NamedView[], view: NamedView): NamedView[] {
  return [...views.filter(({ name }) => name !== view.name), view].sort((a, b) => (a.name < b.name ? -1 : 1));
}
