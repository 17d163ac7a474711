// A list of the API that comes in pages: the first is kept fresh, the others are added when asked for.

import { app } from './app.svelte';
import { resource, type Resource } from './resource.svelte';

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export class Paged<T> {
  readonly first: Resource<Page<T>>;
  busy = $state(false);
  failure = $state('');
  #path: string | null = null;
  #more = $state.raw<T[]>([]);
  #cursor = $state.raw<string | null>(null);
  #of = $state.raw<string | null>(null);

  constructor(path: () => string | null) {
    this.first = resource<Page<T>>(path);
    $effect(() => {
      this.#path = path();
      [this.#more, this.#cursor, this.#of, this.failure] = [[], null, null, ''];
    });
  }

  readonly items = $derived.by(() => [...(this.first.data?.items ?? []), ...this.#more]);
  readonly hasMore = $derived.by(() => this.#next !== null);

  get #next(): string | null {
    return this.#of ? this.#cursor : (this.first.data?.next_cursor ?? null);
  }

  /** Reads the page after the last that is known. */
  async more(): Promise<void> {
    const [path, cursor] = [this.#path, this.#next];
    if (!path || !cursor || this.busy) return;
    [this.busy, this.failure] = [true, ''];
    try {
      const sign = path.includes('?') ? '&' : '?';
      const page = await app.get<Page<T>>(`${path}${sign}cursor=${encodeURIComponent(cursor)}`);
      if (path !== this.#path) return;
      [this.#more, this.#cursor, this.#of] = [[...this.#more, ...page.items], page.next_cursor, path];
    } catch (error) {
      if (path === this.#path) this.failure = app.explain(error);
    } finally {
      this.busy = false;
    }
  }
}

/** Lists `path()` of the API for as long as the component lives. */
export function paged<T>(path: () => string | null): Paged<T> {
  return new Paged<T>(path);
}
