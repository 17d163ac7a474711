import { describe, expect, it } from 'vitest';
import { ServerClock } from './clock';

const T = Date.parse('2026-03-01T08:00:00Z');

describe('ServerClock', () => {
  it('knows nothing before the first stamp', () => {
    const clock = new ServerClock();
    expect(clock.known).toBe(false);
    expect(clock.at(5)).toBeNull();
  });

  it('runs on the monotonic clock from a stamp', () => {
    const clock = new ServerClock();
    clock.note({ serverMs: T, arrivedMs: 1000, sentMs: 990 });
    expect(clock.at(61_000)).toBe(T + 60_000);
  });

  it('keeps the quickest of several stamps', () => {
    const clock = new ServerClock();
    clock.note({ serverMs: T, arrivedMs: 1000 + 800 });
    clock.note({ serverMs: T + 5000, arrivedMs: 6000 + 20 });
    clock.note({ serverMs: T + 10_000, arrivedMs: 11_000 + 3000 });
    expect(clock.at(1000)).toBe(T - 20);
  });

  it('jumps forward after a sleep that stopped the monotonic clock', () => {
    const clock = new ServerClock();
    clock.note({ serverMs: T, arrivedMs: 1000, sentMs: 990 });
    clock.note({ serverMs: T + 3_600_000, arrivedMs: 2000 });
    expect(clock.at(2000)).toBe(T + 3_600_000);
  });

  it('follows a server clock that was set back', () => {
    const clock = new ServerClock();
    clock.note({ serverMs: T, arrivedMs: 1000, sentMs: 990 });
    clock.note({ serverMs: T - 60_000, arrivedMs: 2000, sentMs: 1995 });
    expect(clock.at(2000)).toBe(T - 60_000);
  });

  it('forgets a bound after enough newer stamps', () => {
    const clock = new ServerClock();
    clock.note({ serverMs: T + 90_000, arrivedMs: 0 });
    for (let i = 0; i < 24; i++) clock.note({ serverMs: T + i * 5000, arrivedMs: i * 5000 });
    expect(clock.at(0)).toBe(T);
  });

  it('does not let a coarse HTTP date push the estimate back', () => {
    const clock = new ServerClock();
    clock.note({ serverMs: T + 700, arrivedMs: 700, sentMs: 690 });
    clock.note({ serverMs: T + 1000, arrivedMs: 1900, sentMs: 1890, grainMs: 1000 });
    expect(clock.at(0)).toBe(T);
  });
});
