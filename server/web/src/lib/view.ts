// What of the board is shown: a view. It stands in the address, and can be kept under a name. Pure.

import { matches, type Filter, type Row } from './board';
import { queryOf } from './route';

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

/** Whether a row is among those that the view's choices leave, whatever its urgency. */
export function isChosen(row: Row, view: View, user: string): boolean {
  const { region, tier, owner, state } = row.fault;
  const wanted = view.owner === MINE ? user : view.owner;
  if (view.region && region !== view.region) return false;
  if (view.tier && tier !== view.tier) return false;
  if (wanted && owner !== wanted) return false;
  if (view.state && state !== view.state) return false;
  return matches(row, 'all', view.words);
}

/** What there is to choose from: what open faults have, in their order of importance or of the alphabet. */
export function choices(rows: readonly Row[]): {
  regions: string[];
  tiers: [string, Row['fault']['tier_label']][];
  owners: string[];
} {
  const tiers = new Map(rows.map(({ fault }) => [fault.tier, fault.tier_label]));
  const texts = (of: (fault: Row['fault']) => string | null | undefined) =>
    [...new Set(rows.flatMap(({ fault }) => of(fault) || []))].sort();
  return {
    regions: texts((fault) => fault.region),
    tiers: [...tiers].sort(([a], [b]) => (a < b ? -1 : 1)),
    owners: texts((fault) => fault.owner),
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
