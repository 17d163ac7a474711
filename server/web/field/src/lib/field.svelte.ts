// The page's state: who is signed in, what is to be done as the agent last told, whether it answers. Everything that decides
// something lives in the pure modules beside this one.

import { reader } from '../../../src/lib/reader.svelte';
import { toasts } from '../../../src/lib/toasts.svelte';
import { ApiError } from '../../../src/lib/api';
import { Api } from './api';
import { explain } from './explain';
import { parseRoute, type Route } from './route';
import type { DraftItem, Session, User, Work } from './types';

/** What is to be done is read so often while the page is seen. */
const POLL_MS = 5_000;
/** How far into each second the page redraws, so that a late timer never shows the second before. */
const TICK_PHASE_MS = 20;

const monotonic = () => performance.now();

class Field {
  readonly api = new Api({
    fetch: (input, init) => fetch(input, init),
    nowMs: () => reader.serverNow(),
    onsignedout: () => this.#signedOut(),
    onlocked: () => void this.ask(),
    renew: () => this.ask(),
  });

  /** Undefined until the agent told. */
  session = $state.raw<Session | undefined>(undefined);
  /** Somebody was signed in, and is no more: the agent was started anew. */
  ended = $state(false);
  work = $state.raw<Work | null>(null);
  drafts = $state.raw<DraftItem[]>([]);
  /** Whether the agent answered when it was last asked. */
  answers = $state(true);
  route = $state.raw<Route>(parseRoute(location.hash));
  /** Counts readings: what is read besides follows it. */
  turns = $state(0);

  readonly user = $derived<User | null>(this.session?.user ?? null);
  readonly isLocked = $derived(this.session?.device.locked ?? false);

  #polling: ReturnType<typeof setTimeout> | undefined;

  async start(): Promise<void> {
    this.#tick();
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'visible') return;
      reader.setNow();
      void this.poll();
    });
    await this.poll();
  }

  /** Follows the address. */
  onHash(): void {
    this.route = parseRoute(location.hash);
    window.scrollTo(0, 0);
  }

  go(hash: string): void {
    location.hash = hash;
  }

  explain(error: unknown): string {
    return explain(error, reader.locale);
  }

  done(text: string): void {
    toasts.say('done', text);
  }

  async signIn(user: string, password: string): Promise<void> {
    const signedIn = await this.api.signIn(user, password);
    this.ended = false;
    if (this.session) this.session = { ...this.session, user: signedIn };
    await this.poll();
  }

  async signOut(): Promise<void> {
    await this.api.signOut();
    [this.work, this.drafts] = [null, []];
    if (this.session) this.session = { ...this.session, user: null, token: null };
    this.go('#/');
  }

  /** Who is signed in, as the agent says. */
  async ask(): Promise<void> {
    const sentMs = monotonic();
    const session = await this.api.session();
    this.#note(session.now, sentMs);
    this.api.token = session.token;
    this.session = session;
    if (session.user) this.ended = false;
    if (session.device.locked) [this.work, this.drafts] = [null, []];
  }

  /** Writes a record, and reads again what is to be done. */
  async write(path: string, body: object): Promise<{ id: string }> {
    const answer = await this.api.write(path, body);
    void this.poll();
    return answer;
  }

  /** Reads everything that every screen needs; and again, a while later, for as long as the page is seen. */
  async poll(): Promise<void> {
    clearTimeout(this.#polling);
    this.#polling = undefined;
    try {
      if (!this.session?.user || this.session.device.locked) await this.ask();
      if (this.session?.user && !this.session.device.locked) await this.#read();
      this.answers = true;
    } catch (error) {
      // A refusal is an answer.
      this.answers = error instanceof ApiError && error.status > 0;
    }
    clearTimeout(this.#polling);
    this.#polling = setTimeout(() => {
      if (document.visibilityState === 'visible') void this.poll();
    }, POLL_MS);
  }

  async #read(): Promise<void> {
    const sentMs = monotonic();
    const work = await this.api.get<Work>('/work');
    this.#note(work.as_of, sentMs);
    const drafts = await this.api.get<DraftItem[]>('/drafts');
    [this.work, this.drafts] = [work, drafts];
    this.turns += 1;
  }

  #note(asOf: string, sentMs: number): void {
    reader.clock.note({ serverMs: Date.parse(asOf), sentMs, arrivedMs: monotonic() });
    reader.setNow();
  }

  #signedOut(): void {
    if (!this.session?.user) return;
    this.api.token = null;
    this.session = { ...this.session, user: null, token: null };
    [this.work, this.drafts] = [null, []];
    this.ended = true;
  }

  /** Redraws once in each second of the agent's clock. */
  #tick(): void {
    reader.setNow();
    setTimeout(() => this.#tick(), 1_000 - (reader.serverNow() % 1_000) + TICK_PHASE_MS);
  }
}

export const field = new Field();
