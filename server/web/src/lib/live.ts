// The live link: a snapshot, then the events after it; and, honestly, how good the link is.
//
// A lost link is never healed in place: the snapshot is read again and a new stream begins at its
// cursor, so nothing that happened in between can be missed. Knows no DOM; all of the outside is given.

import type { BoardEvent, Snapshot } from './types';

/** Without a frame for so long (the server ticks every 5 s) the board calls itself stale. */
export const STALE_AFTER_MS = 10_000;
/** Without a frame for so long the stream is given up and begun again. */
export const GIVE_UP_AFTER_MS = 25_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_CAP_MS = 10_000;
const WATCH_EVERY_MS = 500;
/** Several events in a row that ask for a snapshot are answered by one. */
const REREAD_AFTER_MS = 300;
const EVENT_TYPES = ['fault', 'deadline', 'agent', 'visit', 'tick', 'reset'] as const;

export type Phase = 'connecting' | 'live' | 'stale' | 'cut';

/** Times are of the monotonic clock. */
export interface LinkStatus {
  phase: Phase;
  /** Since when the phase lasts; for `stale` and `cut`, since the last frame. */
  sinceMs: number;
  /** When the next try is due, while cut off. */
  retryAtMs: number | null;
}

export interface EventStream {
  addEventListener(type: string, listener: (event: { data?: string; lastEventId?: string }) => void): void;
  close(): void;
}

export interface LiveDeps {
  snapshot: () => Promise<Snapshot>;
  stream: (cursor: string) => EventStream;
  monotonic: () => number;
  onSnapshot: (snapshot: Snapshot) => void;
  onEvent: (event: BoardEvent, cursor: string) => void;
  onStatus: (status: LinkStatus) => void;
  /** The session has ended: the link stops. */
  onSignedOut: () => void;
  random?: () => number;
}

export class Live {
  #deps: LiveDeps;
  #stream: EventStream | null = null;
  #status: LinkStatus;
  #lastFrameMs: number;
  #failures = 0;
  #stopped = true;
  /** Counts connections, so that what an abandoned one still says is ignored. */
  #turn = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #reread: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(deps: LiveDeps) {
    this.#deps = deps;
    this.#lastFrameMs = deps.monotonic();
    this.#status = { phase: 'connecting', sinceMs: this.#lastFrameMs, retryAtMs: null };
  }

  start(): void {
    this.#stopped = false;
    this.#watch = setInterval(() => this.#look(), WATCH_EVERY_MS);
    void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#turn += 1;
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    clearTimeout(this.#reread);
    this.#stream?.close();
  }

  /** Tries again at once. */
  retryNow(): void {
    if (this.#stopped || this.#status.phase === 'live') return;
    void this.#connect();
  }

  /**
   * The page was asleep, or may have been: where the server was not heard meanwhile, what is known is old, and it
   * is read again at once. `slept`: it surely was, however little time seems to have passed.
   */
  wake(slept: boolean): void {
    if (this.#stopped || this.#status.phase === 'connecting') return;
    if (!slept && this.#deps.monotonic() - this.#lastFrameMs <= STALE_AFTER_MS) return;
    if (this.#status.phase === 'live') this.#say('stale', this.#lastFrameMs, null);
    void this.#connect();
  }

  /** Reads the snapshot again soon, beside the running stream. */
  reread(): void {
    clearTimeout(this.#reread);
    const turn = this.#turn;
    this.#reread = setTimeout(
      () => void this.#load(turn).catch((e: unknown) => this.#failed(turn, e)),
      REREAD_AFTER_MS,
    );
  }

  async #connect(): Promise<void> {
    const turn = ++this.#turn;
    clearTimeout(this.#retry);
    this.#stream?.close();
    this.#stream = null;
    try {
      const snapshot = await this.#load(turn);
      if (turn !== this.#turn) return;
      this.#listen(turn, this.#deps.stream(snapshot.cursor));
    } catch (error) {
      this.#failed(turn, error);
    }
  }

  async #load(turn: number): Promise<Snapshot> {
    const snapshot = await this.#deps.snapshot();
    if (turn === this.#turn) {
      this.#deps.onSnapshot(snapshot);
      this.#lastFrameMs = this.#deps.monotonic();
    }
    return snapshot;
  }

  #listen(turn: number, stream: EventStream): void {
    this.#stream = stream;
    stream.addEventListener('open', () => turn === this.#turn && this.#frame());
    stream.addEventListener('error', () => this.#failed(turn, null));
    for (const type of EVENT_TYPES) {
      stream.addEventListener(type, (event) => {
        if (turn !== this.#turn) return;
        this.#frame();
        const data = parse(event.data);
        if (data === undefined) this.reread();
        else this.#deps.onEvent({ type, data } as BoardEvent, event.lastEventId ?? '');
      });
    }
  }

  #frame(): void {
    this.#failures = 0;
    this.#lastFrameMs = this.#deps.monotonic();
    if (this.#status.phase !== 'live') this.#say('live', this.#lastFrameMs, null);
  }

  #failed(turn: number, error: unknown): void {
    if (turn !== this.#turn || this.#stopped) return;
    this.#turn += 1;
    this.#stream?.close();
    if ((error as { status?: number } | null)?.status === 401) {
      this.stop();
      this.#deps.onSignedOut();
      return;
    }
    const wait = Math.min(RETRY_CAP_MS, RETRY_FIRST_MS * 2 ** this.#failures);
    const jittered = wait * (0.8 + 0.4 * (this.#deps.random ?? Math.random)());
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#say('cut', this.#lastFrameMs, this.#deps.monotonic() + jittered);
    this.#retry = setTimeout(() => void this.#connect(), jittered);
  }

  #look(): void {
    if (this.#status.phase !== 'live' && this.#status.phase !== 'stale') return;
    const silentMs = this.#deps.monotonic() - this.#lastFrameMs;
    if (silentMs > GIVE_UP_AFTER_MS) this.#failed(this.#turn, null);
    else if (silentMs > STALE_AFTER_MS && this.#status.phase === 'live')
      this.#say('stale', this.#lastFrameMs, null);
  }

  #say(phase: Phase, sinceMs: number, retryAtMs: number | null): void {
    this.#status = { phase, sinceMs, retryAtMs };
    this.#deps.onStatus(this.#status);
  }
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text || '{}');
  } catch {
    return undefined;
  }
}
