// The typed client of the agent's local API. A write that got no answer keeps its id: tried again, it is stored once.

import { ApiError } from '../../../src/lib/api';
import { lean } from './draft-shape';
import { newId } from './id';
import type { PutResult } from './draft';
import type { Draft, Lack, OpenDraft, Saved, Session, User } from './types';

const BASE = '/api';
const TIMEOUT_MS = 15_000;
/** An image is larger, and the disk may be slow. */
const IMAGE_TIMEOUT_MS = 60_000;
/** What a page that is being left may still send. */
const KEEPALIVE_BYTES_MAX = 60_000;

/** A refusal by the agent, with what else it said. */
export class Refusal extends ApiError {
  constructor(
    status: number,
    code: string,
    detail: string,
    readonly body: Record<string, unknown>,
  ) {
    const possible = Array.isArray(body.possible) ? body.possible.map(String) : null;
    super(status, code, detail, possible);
  }
}

export interface Transport {
  fetch: typeof fetch;
  nowMs: () => number;
  /** The session is no more. */
  onsignedout: () => void;
  /** The laptop was locked. */
  onlocked: () => void;
  /** Asks anew who is signed in, and with which token. */
  renew: () => Promise<void>;
}

interface Call {
  body?: BodyInit;
  type?: string;
  timeoutMs?: number;
  keepalive?: boolean;
}

export class Api {
  /** Shown with everything that changes something. */
  token: string | null = null;
  /** Ids of writes that got no answer. */
  #unanswered = new Map<string, string>();

  constructor(private readonly transport: Transport) {}

  get<T>(path: string): Promise<T> {
    return this.#call<T>('GET', path);
  }

  session(): Promise<Session> {
    return this.get('/session');
  }

  async signIn(user: string, password: string): Promise<User> {
    const answer = await this.#json<{ user: User; token: string }>('POST', '/session', { user, password });
    this.token = answer.token;
    return answer.user;
  }

  async signOut(): Promise<void> {
    await this.#call('DELETE', '/session');
    this.token = null;
  }

  /** Writes a record. The same one, tried again after no answer, has the same id and is stored once. */
  async write(path: string, body: object): Promise<{ id: string }> {
    const name = `${path} ${JSON.stringify(body)}`;
    const id = this.#unanswered.get(name) ?? newId(this.transport.nowMs());
    this.#unanswered.set(name, id);
    try {
      const answer = await this.#json<{ id: string }>('POST', path, { id, ...body });
      this.#unanswered.delete(name);
      return answer;
    } catch (error) {
      if (isAnswer(error)) this.#unanswered.delete(name);
      throw error;
    }
  }

  /** Asks for something to be done that is no record. */
  post<T>(path: string, body?: object): Promise<T> {
    return body ? this.#json('POST', path, body) : this.#call('POST', path);
  }

  delete(path: string): Promise<unknown> {
    return this.#call('DELETE', path);
  }

  /** Saves a draft; a refusal is an answer. */
  async putDraft(id: string, revision: number, draft: Draft, leaving: boolean): Promise<PutResult> {
    const body = JSON.stringify({ revision, draft: lean(draft) });
    const keepalive = leaving && body.length < KEEPALIVE_BYTES_MAX;
    const path = `/drafts/${encodeURIComponent(id)}`;
    try {
      const saved = await this.#call<Saved>('PUT', path, { body, type: 'application/json', keepalive });
      return { kind: 'saved', saved };
    } catch (error) {
      const theirs = error instanceof Refusal && error.code === 'other_revision' ? newer(error.body) : null;
      return theirs ? { kind: 'other', theirs } : { kind: 'failed', error };
    }
  }

  putImage(draft: string, role: 'photo' | 'signature', image: Blob): Promise<{ sha256: string }> {
    const path = `/drafts/${encodeURIComponent(draft)}/photos?role=${role}`;
    return this.#call('POST', path, { body: image, type: image.type, timeoutMs: IMAGE_TIMEOUT_MS });
  }

  #json<T>(method: string, path: string, body: object): Promise<T> {
    return this.#call<T>(method, path, { body: JSON.stringify(body), type: 'application/json' });
  }

  /** Somebody who signed in anew in another window has another token in this one too: that is asked for once. */
  async #call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const before = this.token;
    try {
      return await this.#once<T>(method, path, call);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'other_site' || method === 'GET') throw error;
      await this.transport.renew();
      if (this.token === before || this.token === null) throw error;
      return this.#once<T>(method, path, call);
    }
  }

  async #once<T>(method: string, path: string, call: Call): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (call.type) headers['content-type'] = call.type;
    if (method !== 'GET' && this.token) headers['x-linewatch-token'] = this.token;
    let response: Response;
    let text: string;
    try {
      response = await this.transport.fetch(BASE + path, {
        method,
        headers,
        body: call.body,
        keepalive: call.keepalive,
        signal: AbortSignal.timeout(call.timeoutMs ?? TIMEOUT_MS),
        cache: 'no-store',
        credentials: 'same-origin',
      });
      text = await response.text();
    } catch {
      throw new ApiError(0, 'no_answer', '');
    }
    const data = parse(text);
    if (response.ok) return data as T;
    throw this.#refused(response.status, (data ?? {}) as Record<string, unknown>);
  }

  #refused(status: number, body: Record<string, unknown>): Refusal {
    const code = typeof body.code === 'string' ? body.code : `http_${status}`;
    if (code === 'signed_out') this.transport.onsignedout();
    if (code === 'locked') this.transport.onlocked();
    return new Refusal(status, code, typeof body.detail === 'string' ? body.detail : '', body);
  }
}

/** Whether the agent decided: what it answered by failing itself is tried again. */
const isAnswer = (error: unknown) =>
  error instanceof ApiError && error.status > 0 && error.status < 500 && error.code !== 'signed_out';

/** What a finish lacks, where that is why it was refused. */
export function lacksIn(error: unknown): Lack[] | null {
  if (!(error instanceof Refusal) || !Array.isArray(error.body.lacks)) return null;
  return error.body.lacks as Lack[];
}

/** The newer version stands in the refusal itself. */
function newer(body: Record<string, unknown>): OpenDraft | null {
  const { newer } = body;
  return typeof newer === 'object' && newer !== null ? (newer as OpenDraft) : null;
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
