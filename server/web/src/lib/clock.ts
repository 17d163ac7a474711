// The server's clock, as seen from here.
//
// The browser's wall clock may be wrong by hours and may jump; it is never read. Each stamp of the
// server bounds the offset between its clock and this page's monotonic clock: the stamp was made
// before it arrived, and, for an answer to a request, after the request was sent. The best lower bound
// among the latest stamps is the estimate: its error is the shortest way that any of them took.

/** How many stamps are remembered: two minutes of ticks. An old bound must not outlive a clock that was set. */
const STAMPS_KEPT = 24;

/** How far a new stamp may contradict the estimate before everything older is forgotten. */
const CONTRADICTION_MS = 2_000;

export interface Stamp {
  /** The server's time, in milliseconds since 1970. */
  serverMs: number;
  /** The monotonic time at which it arrived. */
  arrivedMs: number;
  /** The monotonic time at which the request left, where the stamp answers one. */
  sentMs?: number;
  /** How coarse the stamp is: 1000 for an HTTP `Date`. */
  grainMs?: number;
}

interface Bounds {
  low: number;
  high: number;
}

export class ServerClock {
  #bounds: Bounds[] = [];
  #offset: number | null = null;

  /** Whether the server has been heard at all. */
  get known(): boolean {
    return this.#offset !== null;
  }

  note(stamp: Stamp): void {
    const low = stamp.serverMs - stamp.arrivedMs;
    const high = stamp.sentMs === undefined ? Infinity : stamp.serverMs + (stamp.grainMs ?? 0) - stamp.sentMs;
    if (this.#contradicts(low, high)) this.#bounds = [];
    this.#bounds.push({ low, high });
    if (this.#bounds.length > STAMPS_KEPT) this.#bounds.shift();
    const best = Math.max(...this.#bounds.map((b) => b.low));
    const cap = Math.min(...this.#bounds.map((b) => b.high));
    this.#offset = Math.min(best, cap);
  }

  /** A stamp that cannot be true beside the older ones: a clock was set, or this machine slept. */
  #contradicts(low: number, high: number): boolean {
    const cap = Math.min(...this.#bounds.map((b) => b.high));
    return (this.#offset !== null && high < this.#offset - CONTRADICTION_MS) || low > cap + CONTRADICTION_MS;
  }

  /** The server's time when the monotonic clock shows `monotonicMs`; null before the first stamp. */
  at(monotonicMs: number): number | null {
    return this.#offset === null ? null : monotonicMs + this.#offset;
  }
}
