import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Live, type EventStream, type LinkStatus } from './live';
import type { BoardEvent, Snapshot } from './types';

class FakeStream implements EventStream {
  listeners = new Map<string, (event: { data?: string; lastEventId?: string }) => void>();
  closed = false;
  constructor(readonly cursor: string) {}
  addEventListener(type: string, listener: (event: { data?: string; lastEventId?: string }) => void) {
    this.listeners.set(type, listener);
  }
  close() {
    this.closed = true;
  }
  emit(type: string, data: unknown = {}, lastEventId = '') {
    this.listeners.get(type)?.({ data: JSON.stringify(data), lastEventId });
  }
}

const snapshot = (cursor: string): Snapshot => ({
  as_of: '2026-03-01T08:00:00Z',
  cursor,
  engine: { alive: true, lag_ms: 0 },
  faults: [],
  suspected: [],
  agents: { total: 0, silent: [], warned: [] },
});

function harness() {
  const streams: FakeStream[] = [];
  const said: LinkStatus[] = [];
  const events: BoardEvent[] = [];
  const world = { reads: 0, failure: null as unknown, signedOut: 0 };
  const live = new Live({
    snapshot: async () => {
      world.reads += 1;
      if (world.failure) throw world.failure;
      return snapshot(String(world.reads));
    },
    stream: (cursor) => {
      const stream = new FakeStream(cursor);
      streams.push(stream);
      return stream;
    },
    monotonic: () => Date.now(),
    onSnapshot: () => {},
    onEvent: (event) => events.push(event),
    onStatus: (status) => said.push(status),
    onSignedOut: () => (world.signedOut += 1),
    random: () => 0.5,
  });
  return { live, streams, said, events, world, phase: () => said.at(-1)?.phase };
}

describe('Live', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 100_000 }));
  afterEach(() => void vi.useRealTimers());

  async function connected() {
    const h = harness();
    h.live.start();
    await vi.advanceTimersByTimeAsync(0);
    h.streams[0]?.emit('open');
    return h;
  }

  it('reads the snapshot, then listens from its cursor', async () => {
    const h = await connected();
    expect([h.streams[0]?.cursor, h.phase()]).toEqual(['1', 'live']);
    h.streams[0]?.emit('tick', { as_of: 'x' });
    h.streams[0]?.emit('visit', { visit: 'v', complete: true });
    expect(h.events).toEqual([
      { type: 'tick', data: { as_of: 'x' } },
      { type: 'visit', data: { visit: 'v', complete: true } },
    ]);
  });

  it('is stale after ten silent seconds, live again with the next frame', async () => {
    const h = await connected();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(h.phase()).toBe('live');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(h.said.at(-1)).toMatchObject({ phase: 'stale', sinceMs: 100_000 });
    h.streams[0]?.emit('tick');
    expect(h.phase()).toBe('live');
  });

  it('gives a silent stream up, and reads the snapshot again before the next', async () => {
    const h = await connected();
    await vi.advanceTimersByTimeAsync(26_000);
    expect([h.phase(), h.streams[0]?.closed]).toEqual(['cut', true]);
    await vi.advanceTimersByTimeAsync(1_500);
    expect([h.world.reads, h.streams[1]?.cursor]).toEqual([2, '2']);
  });

  it('says since when it is cut off, and backs off up to a cap', async () => {
    const h = await connected();
    await vi.advanceTimersByTimeAsync(3_000);
    h.streams[0]?.emit('tick');
    h.world.failure = { status: 0 };
    await vi.advanceTimersByTimeAsync(2_000);
    h.streams[0]?.emit('error');
    expect(h.said.at(-1)).toEqual({ phase: 'cut', sinceMs: 103_000, retryAtMs: 106_000 });
    await vi.advanceTimersByTimeAsync(120_000);
    const waits = h.said.filter((s) => s.phase === 'cut').map((s) => s.retryAtMs!);
    expect(waits.slice(0, 6).map((at, i) => at - (waits[i - 1] ?? 105_000))).toEqual([
      1000, 2000, 4000, 8000, 10_000, 10_000,
    ]);
    h.world.failure = null;
    h.live.retryNow();
    await vi.advanceTimersByTimeAsync(0);
    h.streams.at(-1)?.emit('open');
    expect(h.phase()).toBe('live');
  });

  it('ignores what an abandoned stream still says', async () => {
    const h = await connected();
    h.streams[0]?.emit('error');
    h.streams[0]?.emit('fault', { fault: { id: 'ghost' } });
    expect(h.events).toEqual([]);
  });

  it('answers several requests for a snapshot by one', async () => {
    const h = await connected();
    h.live.reread();
    h.live.reread();
    await vi.advanceTimersByTimeAsync(400);
    expect([h.world.reads, h.streams.length]).toEqual([2, 1]);
  });

  it('stops when the session has ended', async () => {
    const h = await connected();
    h.world.failure = { status: 401 };
    h.streams[0]?.emit('error');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([h.world.signedOut, h.world.reads]).toEqual([1, 2]);
  });

  it('reads again at once when the page wakes after a time in which nothing was heard', async () => {
    const h = await connected();
    vi.setSystemTime(Date.now() + 3_600_000);
    h.live.wake(false);
    expect(h.phase()).toBe('stale');
    await vi.advanceTimersByTimeAsync(0);
    expect([h.world.reads, h.streams[0]?.closed, h.streams[1]?.cursor]).toEqual([2, true, '2']);
    h.streams[1]?.emit('open');
    expect(h.phase()).toBe('live');
  });

  it('stays as it is when the page was only looked away from, unless the machine slept', async () => {
    const h = await connected();
    h.live.wake(false);
    expect([h.phase(), h.streams.length]).toEqual(['live', 1]);
    h.live.wake(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(h.streams.length).toBe(2);
    h.live.stop();
    h.live.wake(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(h.streams.length).toBe(2);
  });
});
