// What a screen reads besides the work, kept fresh with it.

import { field } from './field.svelte';

class Read<T> {
  data = $state.raw<T | null>(null);
  /** Why the last reading failed, in words. */
  failure = $state('');
  #asked: string | null = null;

  async load(path: string | null): Promise<void> {
    if (path !== this.#asked) [this.#asked, this.data, this.failure] = [path, null, ''];
    if (path === null) return;
    try {
      const data = await field.api.get<T>(path);
      if (path === this.#asked) [this.data, this.failure] = [data, ''];
    } catch (error) {
      if (path === this.#asked) this.failure = field.explain(error);
    }
  }
}

/** Reads `path()` for as long as the component lives. `live: false`: only when the path changes. */
export function read<T>(path: () => string | null, { live = true } = {}): Read<T> {
  const it = new Read<T>();
  $effect(() => {
    if (live) void field.turns;
    void it.load(path());
  });
  $effect(() => () => void it.load(null));
  return it;
}
