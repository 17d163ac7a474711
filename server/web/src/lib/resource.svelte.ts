// What a page reads from the API, kept fresh: read again when the address changes, when asked to, and
// whenever the board hears of a change.

import { ApiError } from './api';
import { app } from './app.svelte';

export class Resource<T> {
  /** The last good answer; kept while it is read again, dropped when something else is asked for. */
  data = $state.raw<T | null>(null);
  /** Why the last reading failed, in words. */
  failure = $state('');
  /** The server's code for it, where it is a refusal. */
  code = $state('');
  #asked: string | null = null;
  #busy = false;
  #again = false;

  /** Reads what is at `path`; null forgets it. Readings of the same do not overtake each other. */
  load(path: string | null): void {
    if (path !== this.#asked) {
      this.#asked = path;
      this.data = null;
      [this.failure, this.code] = ['', ''];
      this.#busy = false;
    }
    if (path === null) return;
    if (this.#busy) this.#again = true;
    else void this.#read(path);
  }

  reload(): void {
    this.load(this.#asked);
  }

  async #read(path: string): Promise<void> {
    this.#busy = true;
    this.#again = false;
    try {
      const answer = await app.get<T>(path);
      if (path !== this.#asked) return;
      [this.data, this.failure, this.code] = [answer, '', ''];
    } catch (error) {
      if (path !== this.#asked) return;
      [this.failure, this.code] = [app.explain(error), error instanceof ApiError ? error.code : ''];
    }
    this.#busy = false;
    if (this.#again) void this.#read(path);
  }
}

/** Reads `path()` of the API for as long as the component lives. `live: false`: only when the path changes. */
export function resource<T>(path: () => string | null, { live = true } = {}): Resource<T> {
  const it = new Resource<T>();
  $effect(() => {
    if (live) void app.changes;
    it.load(path());
  });
  $effect(() => () => it.load(null));
  return it;
}
