// How many conflicts nobody has settled, for the figure beside the way to them.

import { Resource } from './resource.svelte';

/** So many are counted; what is more is `9+`. */
const COUNTED = 9;
const PATH = `/conflicts?settled=false&limit=${COUNTED + 1}`;

class Unsettled {
  #list = new Resource<{ items: unknown[] }>();

  /** What the figure says; empty where there is none, or it is not known. */
  readonly shown = $derived.by(() => {
    const found = this.#list.data?.items.length ?? 0;
    return found > COUNTED ? `${COUNTED}+` : found ? String(found) : '';
  });

  /** Reads it, where the reader may; else forgets it. */
  read(allowed: boolean): void {
    this.#list.load(allowed ? PATH : null);
  }
}

export const unsettled = new Unsettled();
