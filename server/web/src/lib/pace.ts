// How often pages read again while changes come: soon after a change, and ever more seldom while they do not stop. A
// thousand open boards hear of every change in the same moment, and would all ask at once. Pure.

/** At least so long between two readings that changes ask for. */
export const APART_MS = 2_000;
/** And so long, once changes have not stopped for a while. */
export const STORM_APART_MS = 15_000;
/** Changes that are no further apart than this are one storm. */
const STORM_GAP_MS = 3_000;
/** Each board waits up to so much longer, so that not all ask together. */
const SPREAD = 0.25;

export class Pace {
  #apartMs = APART_MS;
  #heardMs = -Infinity;

  /** A change was heard of: how long after the last reading the next one may be. */
  heard(nowMs: number, random = Math.random()): number {
    if (nowMs - this.#heardMs > STORM_GAP_MS) this.#apartMs = APART_MS;
    this.#heardMs = nowMs;
    return this.#apartMs * (1 + SPREAD * random);
  }

  /** It was read again because of changes. */
  read(): void {
    this.#apartMs = Math.min(STORM_APART_MS, this.#apartMs * 2);
  }
}
