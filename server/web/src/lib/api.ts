// The typed client of the server's API. It also feeds the clock: every answer carries a time stamp.

import type { ServerClock } from './clock';
import type {
  Fault,
  FaultDetail,
  LineItem,
  NewFact,
  NewReport,
  Pack,
  SecondStep,
  Session,
  Snapshot,
  Ways,
} from './types';

const BASE = '/api/v1';
const TIMEOUT_MS = 15_000;
const LINES_OFFERED = 20;
const PACKS_READ = 100;

/** A refusal by the server (with its status and stable code), or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    /** What would have been possible, where the server refused a step. */
    readonly possible: string[] | null = null,
    /** What was refused of what was sent, where the server names it. */
    readonly field: string | null = null,
    /** Why it was refused, for programs, where one code has several. */
    readonly reason: string | null = null,
  ) {
    super(detail || code);
  }
}

export interface Transport {
  fetch: typeof fetch;
  /** Milliseconds that never jump, as `performance.now()`. */
  monotonic: () => number;
}

export class Api {
  /** Keys of writes that got no answer: the same write tried again must not count twice. */
  #unanswered = new Map<string, string>();
  /** Said with each write: no page but ours knows it. */
  #token: string | null = null;

  constructor(
    private readonly clock: ServerClock,
    private readonly transport: Transport,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.#call('GET', path);
  }

  /** Writes; tried again after no answer, the same write counts once. */
  send<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.#write(method, path, body);
  }

  /** `screen`: for a screen on the wall, which stays signed in and reads the board alone. */
  async signIn(user: string, password: string, screen: boolean): Promise<Session | SecondStep> {
    const body = screen ? { user, password, screen } : { user, password };
    return this.#known(await this.#write<Session | SecondStep>('POST', '/session', body));
  }

  ways(): Promise<Ways> {
    return this.#call('GET', '/session/ways');
  }

  /** Where the browser goes to sign in. */
  async leave(screen: boolean): Promise<string> {
    const { location } = await this.#write<{ location: string }>('POST', '/session/single-sign-on', {
      screen,
    });
    return location;
  }

  /** What the browser came back with; nothing where an account was connected. */
  async arrive(query: URLSearchParams): Promise<Session | SecondStep | null> {
    const [code, state, iss] = ['code', 'state', 'iss'].map((name) => query.get(name) ?? undefined);
    const path = '/session/single-sign-on/return';
    const answer = await this.#write<Session | SecondStep | null>('POST', path, { code, state, iss });
    return answer ? this.#known(answer) : null;
  }

  /** The second proof, after a right password. */
  async proveSecondFactor(pending: string, code: string): Promise<Session> {
    return this.#known(await this.#write<Session>('POST', '/session/second-factor', { pending, code }));
  }

  async session(): Promise<Session> {
    return this.#known(await this.#call<Session>('GET', '/session'));
  }

  #known<T extends Session | SecondStep>(answer: T): T {
    this.#token = 'token' in answer ? (answer.token ?? null) : null;
    return answer;
  }

  /** Changes one's own password, and signs out everywhere. */
  async changePassword(present: string, next: string): Promise<void> {
    await this.#write('PUT', '/session/password', { present, new: next });
  }

  async signOut(): Promise<void> {
    await this.#call('DELETE', '/session', undefined, newKey());
  }

  async board(): Promise<Snapshot> {
    const sentMs = this.transport.monotonic();
    const snapshot = await this.#call<Snapshot>('GET', '/board');
    const arrivedMs = this.transport.monotonic();
    this.clock.note({ serverMs: Date.parse(snapshot.as_of), sentMs, arrivedMs });
    return snapshot;
  }

  fault(id: string): Promise<FaultDetail> {
    return this.#call('GET', `/faults/${encodeURIComponent(id)}`);
  }

  async lines(words: string): Promise<LineItem[]> {
    const query = new URLSearchParams({ q: words, limit: String(LINES_OFFERED) });
    const page = await this.#call<{ items: LineItem[] }>('GET', `/lines?${query}`);
    return page.items;
  }

  async packs(): Promise<Pack[]> {
    const page = await this.#call<{ items: Pack[] }>('GET', `/packs?limit=${PACKS_READ}`);
    return page.items;
  }

  report(report: NewReport): Promise<Fault> {
    return this.#write('POST', '/faults', report);
  }

  addFact(faultId: string, fact: NewFact): Promise<Fault> {
    return this.#write('POST', `/faults/${encodeURIComponent(faultId)}/facts`, fact);
  }

  async #write<T>(method: string, path: string, body: unknown): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    // A password is in no key.
    const name = /^\/(session|account)/.test(path) ? path : `${method} ${path} ${text}`;
    const key = this.#unanswered.get(name) ?? newKey();
    this.#unanswered.set(name, key);
    try {
      const answer = await this.#call<T>(method, path, text, key);
      this.#unanswered.delete(name);
      return answer;
    } catch (error) {
      if (error instanceof ApiError && error.status > 0) this.#unanswered.delete(name);
      throw error;
    }
  }

  async #call<T>(method: string, path: string, body?: string, key?: string): Promise<T> {
    try {
      return await this.#once<T>(method, path, body, key);
    } catch (error) {
      // Signed in anew in another window: that session has another token.
      if (!(error instanceof ApiError && error.code === 'page_token')) throw error;
      await this.session();
      return this.#once<T>(method, path, body, key);
    }
  }

  async #once<T>(method: string, path: string, body?: string, key?: string): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (key !== undefined) headers['idempotency-key'] = key;
    if (method !== 'GET' && this.#token) headers['x-linewatch-token'] = this.#token;
    const sentMs = this.transport.monotonic();
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    let response: Response;
    let text: string;
    try {
      response = await this.transport.fetch(BASE + path, {
        method,
        headers,
        body,
        signal,
        cache: 'no-store',
      });
      text = await response.text();
    } catch {
      throw new ApiError(0, 'no_answer', '');
    }
    this.#noteDate(response, sentMs);
    const data = parse(text);
    if (response.ok) return data as T;
    const { code, detail, title, possible, field, parameter, reason } = (data ?? {}) as Record<
      string,
      unknown
    >;
    throw new ApiError(
      response.status,
      typeof code === 'string' ? code : `http_${response.status}`,
      typeof detail === 'string' ? detail : typeof title === 'string' ? title : '',
      Array.isArray(possible) ? possible.map(String) : null,
      ([field, parameter].find((name) => typeof name === 'string') as string | undefined) ?? null,
      typeof reason === 'string' ? reason : null,
    );
  }

  /** The `Date` of an answer is coarse, and may be a proxy's: it serves until the server's own stamp is known. */
  #noteDate(response: Response, sentMs: number): void {
    const date = Date.parse(response.headers.get('date') ?? '');
    if (this.clock.known || Number.isNaN(date)) return;
    this.clock.note({ serverMs: date, sentMs, arrivedMs: this.transport.monotonic(), grainMs: 1000 });
  }
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** A random UUID. `crypto.randomUUID` is missing on pages served without TLS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
