// The page's state: who is signed in, the board as known, the link's health, the language. Everything
// that decides something lives in the pure modules beside this one.

import { Api, ApiError } from './api';
import { apply, applyAll, fromSnapshot, isStale, needsSnapshot, type BoardModel } from './board';
import { explain } from './errors';
import type { Locale } from './format';
import { word } from './i18n';
import { Live, type LinkStatus } from './live';
import { announced } from './marks';
import { Pace } from './pace';
import { reader } from './reader.svelte';
import { parseRoute, type Route } from './route';
import { rows, type Row } from './rows';
import { toasts, TOASTS_KEPT, type Toast } from './toasts.svelte';
import type { BoardEvent, DeadlineEvent, Fault, NewFact, Pack, SecondStep, Session } from './types';

/** The server sends what changed in frames: what comes within so long is shown at once, not one by one. */
const GATHER_MS = 50;
/** A page in the background has slow timers: with so many gathered it does not wait for them. */
const GATHERED_MAX = 2_000;
/** Pages read again at least so often. */
const REREAD_AT_LEAST_MS = 30_000;
/** So long after a server did not say who is signed in, it is asked again. */
const ASK_AGAIN_MS = 5_000;
/** The clocks of the browser part by so much only when the machine slept, or one was set. */
const PARTED_MS = 3_000;
/** A redraw that is later than this was held up: the page slept. */
const LATE_MS = 10_000;
/** How far into each server second the page redraws, so that a late timer never shows the second before. */
const TICK_PHASE_MS = 20;

/** Where the provider of single sign-on sends the browser back to. */
const PROVIDER_PATH = '/signed-in';
/** Under which name the browser keeps where it was. */
const BACK = 'linewatch-back';

/** A proof that was asked for once more was wrong: whoever is signed in stays so. */
const PROOFS: readonly string[] = ['bad_credentials', 'bad_second_factor'];

const monotonic = () => performance.now();

class App {
  readonly clock = reader.clock;
  readonly api = new Api(this.clock, { fetch: (input, init) => fetch(input, init), monotonic });

  /** Undefined until asked; null when signed out. */
  session = $state<Session | null | undefined>(undefined);
  sessionEnded = $state(false);
  /** What is still to be done, or said, after somebody came back from the provider of single sign-on. */
  arrival = $state.raw<{ step: SecondStep | null; failure: string }>({ step: null, failure: '' });
  model = $state.raw<BoardModel | null>(null);
  link = $state.raw<LinkStatus>({ phase: 'connecting', sinceMs: monotonic(), retryAtMs: null });
  /** The monotonic time of the same moment. */
  monoMs = $state(monotonic());
  /** The packs in force: what their forms offer. Empty until they were read. */
  packs = $state.raw<Pack[]>([]);
  /** Which page is open. */
  route = $state.raw<Route>(parseRoute(location.hash));
  /** Counts what was heard of: pages read again when it grows. */
  changes = $state(0);
  readonly rows = $derived.by(
    () => (this.#rows = this.model ? rows(this.model, this.nowMs, this.#rows) : []),
  );

  /** The rows of a moment ago: those that still hold are kept. */
  #rows: readonly Row[] = [];
  #live: Live | null = null;
  #stirredMs = 0;
  /** The browser's wall clock minus its monotonic one, which stands still while the machine sleeps. */
  #partedMs = Date.now() - monotonic();
  #stirring: ReturnType<typeof setTimeout> | undefined;
  #pace = new Pace();
  /** One's own password is being changed. */
  #renewing = false;
  #gathered: { event: BoardEvent; cursor: string }[] = [];
  #gathering: ReturnType<typeof setTimeout> | undefined;

  /** The server's time, to the second; it drives every countdown. */
  get nowMs(): number {
    return reader.nowMs;
  }

  get todayMs(): number {
    return reader.todayMs;
  }

  get locale(): Locale {
    return reader.locale;
  }

  get t() {
    return reader.t;
  }

  async start(): Promise<void> {
    this.#tick();
    for (const event of ['visibilitychange', 'resume'] as const)
      document.addEventListener(event, () => this.#look());
    window.addEventListener('pageshow', () => this.#look());
    if (location.pathname === PROVIDER_PATH) await this.#arrive();
    else await this.#findSession(true);
  }

  /** Sends the browser to the provider of single sign-on; `where` tells its address. */
  async leave(where: Promise<string>): Promise<void> {
    const address = await where;
    sessionStorage.setItem(BACK, location.hash);
    location.assign(address);
  }

  /** Comes back from there: what stands in the address is good once, and goes. */
  async #arrive(): Promise<void> {
    const query = new URLSearchParams(location.search);
    history.replaceState(null, '', `/${sessionStorage.getItem(BACK) ?? ''}`);
    sessionStorage.removeItem(BACK);
    this.onHash();
    try {
      const answer = query.has('code') ? await this.api.arrive(query) : undefined;
      if (answer && !('pending' in answer)) return this.#signedIn(answer);
      if (answer) this.arrival = { step: answer, failure: '' };
      else if (answer === null) this.toast('done', this.t.signIn.connected);
      else this.arrival = { step: null, failure: this.t.signIn.refused };
    } catch (error) {
      this.arrival = { step: null, failure: this.explain(error) };
    }
    await this.#findSession(true);
    // Of somebody who wanted to connect an account, and stays signed in.
    if (this.session && this.arrival.failure) this.toast('failed', this.arrival.failure);
  }

  /** Who is signed in. A server that does not answer is asked again: nobody may be there to do it. */
  async #findSession(first: boolean): Promise<void> {
    try {
      this.#signedIn(await this.api.session());
    } catch (error) {
      this.session = null;
      if (error instanceof ApiError && error.status === 401) return;
      if (first) this.toast('failed', explain(error, this.locale));
      setTimeout(() => this.session === null && void this.#findSession(false), ASK_AGAIN_MS);
    }
  }

  /** Signs in; what else is asked for, where the password is not enough. */
  async signIn(user: string, password: string): Promise<SecondStep | null> {
    const answer = await this.api.signIn(user, password, this.route.page === 'wall');
    if ('pending' in answer) return answer;
    this.#signedIn(answer);
    return null;
  }

  /** The second proof: the recovery codes of a factor that was set up by it, and how to go on. */
  async proveSecondFactor(pending: string, code: string): Promise<{ codes: string[]; go: () => void }> {
    const session = await this.api.proveSecondFactor(pending, code);
    return { codes: session.recovery_codes ?? [], go: () => this.#signedIn(session) };
  }

  async signOutEverywhere(): Promise<void> {
    await this.#guard(this.api.send('DELETE', '/account/sessions'));
    this.#leave(false);
  }

  async signOut(): Promise<void> {
    await this.api.signOut().catch(() => undefined);
    this.#leave(false);
  }

  /** Changes one's own password, which ends every session, and signs in anew: whether that went well. */
  async changePassword(present: string, next: string): Promise<boolean> {
    const user = this.session?.user ?? '';
    this.#renewing = true;
    try {
      await this.api.changePassword(present, next);
      this.#live?.stop();
      const session = await this.api.signIn(user, next, false).catch(() => null);
      // With a second factor the code is asked for as at any sign-in.
      const whole = session && !('pending' in session) ? session : null;
      if (whole) this.#signedIn(whole);
      else this.#leave(false);
      return whole !== null;
    } finally {
      this.#renewing = false;
    }
  }

  retryNow(): void {
    this.#live?.retryNow();
  }

  go(hash: string): void {
    location.hash = hash;
  }

  /** Follows the address. */
  onHash(): void {
    this.route = parseRoute(location.hash);
  }

  /** Reads something of the API; `path` begins behind `/api/v1`. */
  get<T>(path: string): Promise<T> {
    return this.#guard(this.api.get<T>(path));
  }

  /** Writes something; the pages read again what they show. */
  async send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const answer = await this.#guard(this.api.send<T>(method, path, body));
    this.#stir(0);
    return answer;
  }

  /** Posts a step; tells of success, and hands on a failure. */
  async addFact(fault: Fault, fact: NewFact): Promise<void> {
    const after = await this.#guard(this.api.addFact(fault.id, fact));
    this.#noteFault(after);
    this.toast('done', this.t.form.saved(word(this.t.step, fact.kind), fault.line));
  }

  async report(...args: Parameters<Api['report']>): Promise<Fault> {
    const fault = await this.#guard(this.api.report(...args));
    this.#noteFault(fault);
    this.toast('done', this.t.report.done(fault.line));
    return fault;
  }

  explain(error: unknown): string {
    return explain(error, this.locale);
  }

  toast(kind: Toast['kind'], text: string): void {
    toasts.say(kind, text);
  }

  /** The server's time now, or the page's best guess before it is known. */
  serverNow(): number {
    return reader.serverNow();
  }

  async #guard<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401 && !PROOFS.includes(error.code))
        this.#leave(true);
      // Somebody else was there first, perhaps: what was decided on is old.
      if (error instanceof ApiError && error.status === 409) this.#live?.reread();
      throw error;
    }
  }

  #signedIn(session: Session): void {
    this.session = session;
    this.sessionEnded = false;
    this.#live = new Live({
      snapshot: () => this.api.board(),
      stream: (cursor) => new EventSource(`/api/v1/events?cursor=${encodeURIComponent(cursor)}`),
      monotonic,
      onSnapshot: (snapshot) => {
        this.model = fromSnapshot(snapshot);
        this.#setNow();
        this.#stir(0);
      },
      onEvent: (event, cursor) => this.#onEvent(event, cursor),
      onStatus: (status) => (this.link = status),
      onSignedOut: () => this.#leave(true),
    });
    this.#live.start();
    // Without them a cause is typed; that is no reason to say anything.
    this.api.packs().then(
      (packs) => (this.packs = packs),
      () => undefined,
    );
  }

  #leave(ended: boolean): void {
    // The session that ends is about to be followed by the next one.
    if (ended && this.#renewing) return;
    this.#live?.stop();
    this.#live = null;
    this.#gathered = [];
    this.session = null;
    this.sessionEnded = ended;
    this.model = null;
  }

  #onEvent(event: BoardEvent, cursor: string): void {
    if (event.type === 'tick') {
      this.clock.note({ serverMs: Date.parse(event.data.as_of), arrivedMs: monotonic() });
    }
    this.#gathered.push({ event, cursor });
    if (this.#gathered.length >= GATHERED_MAX) this.#showGathered();
    else this.#gathering ??= setTimeout(() => this.#showGathered(), GATHER_MS);
  }

  #showGathered(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const gathered = this.#gathered;
    this.#gathered = [];
    const model = this.model;
    if (!model) return;
    const isNew = ({ event, cursor }: (typeof gathered)[number]) =>
      event.type === 'tick' || event.type === 'reset' || !isStale(model, cursor);
    const events = gathered.filter(isNew).map(({ event }) => event);
    if (!events.length) return;
    this.model = applyAll(model, events, this.serverNow());
    if (events.some(({ type }) => type !== 'tick')) this.#stir(this.#pace.heard(monotonic()));
    if (events.some(needsSnapshot)) this.#live?.reread();
    const marks = events.flatMap((event) => (event.type === 'deadline' ? [event.data] : []));
    for (const mark of marks.filter(isAlarming).slice(-TOASTS_KEPT)) this.#announce(mark);
  }

  #announce(event: DeadlineEvent): void {
    toasts.announcement = announced(event, this.locale, this.todayMs);
    if (event.mark === 'missed') this.toast('alarm', toasts.announcement);
  }

  /** What an answer of the API says is shown at once, without waiting for the event. */
  #noteFault(fault: Fault): void {
    // What was heard before it is older.
    this.#showGathered();
    if (this.model) this.model = apply(this.model, { type: 'fault', data: { fault } }, this.serverNow());
  }

  /** Lets the pages read again, so long after the last time at the earliest. */
  #stir(apartMs: number): void {
    const waitMs = this.#stirredMs + apartMs - monotonic();
    if (waitMs > 0) {
      this.#stirring ??= setTimeout(() => this.#stir(0), waitMs);
      return;
    }
    clearTimeout(this.#stirring);
    this.#stirring = undefined;
    this.#stirredMs = monotonic();
    this.#pace.read();
    this.changes += 1;
  }

  #setNow(): void {
    this.monoMs = monotonic();
    reader.setNow();
  }

  /** The page is seen again, or woke: what it shows must be right at once. */
  #look(): void {
    if (document.visibilityState !== 'visible') return;
    const partedMs = Date.now() - monotonic();
    const slept = Math.abs(partedMs - this.#partedMs) > PARTED_MS;
    this.#partedMs = partedMs;
    this.#live?.wake(slept);
    this.#setNow();
  }

  /** Redraws once in each second of the server's clock. */
  #tick(): void {
    const lateMs = monotonic() - this.monoMs;
    if (lateMs > LATE_MS || Math.abs(Date.now() - monotonic() - this.#partedMs) > PARTED_MS) this.#look();
    this.#setNow();
    if (this.session && this.monoMs - this.#stirredMs > REREAD_AT_LEAST_MS) this.#stir(0);
    const into = this.serverNow() % 1000;
    setTimeout(() => this.#tick(), 1000 - into + TICK_PHASE_MS);
  }
}

/** What is learnt long after is on record, and no alarm. */
function isAlarming({ mark, late }: DeadlineEvent): boolean {
  return mark !== 'warn_50' && !late;
}

export const app = new App();
