// Every page beside the board. Each is loaded when it is first opened.

import type { Component } from 'svelte';
import type { PageName } from '../lib/route';

/** What a page is given: what stands behind its name in the address, and what narrows it. */
export interface PageProps {
  rest: string[];
  query: URLSearchParams;
}

type Load = () => Promise<{ default: Component<PageProps> }>;

export const LOAD: Partial<Record<PageName | 'wall', Load>> = {
  fault: () => import('./fault/Page.svelte'),
  customers: () => import('./customers/Page.svelte'),
  lines: () => import('./lines/Page.svelte'),
  wall: () => import('./wall/Page.svelte'),
  admin: () => import('./admin/Page.svelte'),
  account: () => import('./account/Page.svelte'),
  mine: () => import('./mine/Page.svelte'),
  reports: () => import('./reports/Page.svelte'),
  calls: () => import('./calls/Page.svelte'),
  matters: () => import('./matters/Page.svelte'),
  visits: () => import('./visits/Page.svelte'),
  conflicts: () => import('./conflicts/Page.svelte'),
  shift: () => import('./shift/Page.svelte'),
};
