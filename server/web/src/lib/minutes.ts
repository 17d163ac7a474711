// Minutes of a line, as the API keeps them, laid out for plotting. Pure.

/** One minute of a line. */
export interface Minute {
  at: string;
  sent: number;
  lost: number;
  late: number;
  not_sent: number;
  longest_run: number;
  rtt_min_us: number | null;
  rtt_avg_us: number | null;
  rtt_max_us: number | null;
  jitter_us: number | null;
}

export interface Span {
  fromMs: number;
  toMs: number;
}

export const MINUTE_MS = 60_000;
/** The API gives no more minutes at once. */
export const SPAN_MAX_MS = 1_440 * MINUTE_MS;

/** Columns of a plot: seconds since 1970, milliseconds, percent. Nulls are minutes of which nothing is known. */
export interface Columns {
  x: number[];
  min: (number | null)[];
  avg: (number | null)[];
  max: (number | null)[];
  loss: (number | null)[];
  /** Which of the minutes stands there. */
  minute: (Minute | null)[];
}

/** Every minute of the span, also those of which nothing is known: a gap is a gap, and no straight line. */
export function columns(minutes: readonly Minute[], { fromMs, toMs }: Span): Columns {
  const known = new Map(minutes.map((minute) => [Math.floor(Date.parse(minute.at) / MINUTE_MS), minute]));
  const at: Columns = { x: [], min: [], avg: [], max: [], loss: [], minute: [] };
  const last = Math.ceil(toMs / MINUTE_MS);
  for (let n = Math.floor(fromMs / MINUTE_MS); n < last; n += 1) {
    const minute = known.get(n) ?? null;
    at.x.push(n * 60);
    at.min.push(inMs(minute?.rtt_min_us));
    at.avg.push(inMs(minute?.rtt_avg_us));
    at.max.push(inMs(minute?.rtt_max_us));
    at.loss.push(minute && minute.sent > 0 ? (minute.lost / minute.sent) * 100 : null);
    at.minute.push(minute);
  }
  return at;
}

const inMs = (us: number | null | undefined) => (us === null || us === undefined ? null : us / 1000);

/** What the minutes of a span say together. */
export interface Sum {
  minutes: number;
  sent: number;
  lost: number;
  /** The most probes lost in a row. */
  longestRun: number;
  /** When that was. */
  longestRunAt: string | null;
  /** The best and the worst round trip, in microseconds; the mean, weighted by answers. */
  minUs: number | null;
  avgUs: number | null;
  maxUs: number | null;
}

export function sum(minutes: readonly Minute[], { fromMs, toMs }: Span): Sum {
  const within = minutes.filter(({ at }) => {
    const ms = Date.parse(at);
    return ms + MINUTE_MS > fromMs && ms < toMs;
  });
  const all: Sum = {
    minutes: within.length,
    sent: 0,
    lost: 0,
    longestRun: 0,
    longestRunAt: null,
    minUs: null,
    avgUs: null,
    maxUs: null,
  };
  let [answers, total] = [0, 0];
  for (const minute of within) {
    all.sent += minute.sent;
    all.lost += minute.lost;
    if (minute.longest_run > all.longestRun) {
      [all.longestRun, all.longestRunAt] = [minute.longest_run, minute.at];
    }
    if (minute.rtt_min_us !== null) all.minUs = Math.min(all.minUs ?? Infinity, minute.rtt_min_us);
    if (minute.rtt_max_us !== null) all.maxUs = Math.max(all.maxUs ?? 0, minute.rtt_max_us);
    if (minute.rtt_avg_us !== null) {
      const answered = Math.max(1, minute.sent - minute.lost);
      answers += answered;
      total += minute.rtt_avg_us * answered;
    }
  }
  if (answers) all.avgUs = total / answers;
  return all;
}

/** Runs of minutes with losses, oldest first: one run is one burst. */
export interface Burst {
  fromMs: number;
  toMs: number;
  sent: number;
  lost: number;
}

export function bursts(minutes: readonly Minute[]): Burst[] {
  const found: Burst[] = [];
  for (const minute of minutes) {
    if (!minute.lost) continue;
    const fromMs = Date.parse(minute.at);
    const last = found.at(-1);
    if (last && last.toMs === fromMs) {
      last.toMs += MINUTE_MS;
      last.sent += minute.sent;
      last.lost += minute.lost;
    } else {
      found.push({ fromMs, toMs: fromMs + MINUTE_MS, sent: minute.sent, lost: minute.lost });
    }
  }
  return found;
}

/** A span moved or cut so that the API gives it at once, and that does not reach beyond now. */
export function fitted({ fromMs, toMs }: Span, nowMs: number): Span {
  const length = Math.min(Math.max(toMs - fromMs, MINUTE_MS), SPAN_MAX_MS);
  const end = Math.min(fromMs + length, nowMs);
  return { fromMs: end - length, toMs: end };
}

/** The span to look at for a fault: what was before it, all of it where that fits, and what came after. */
export function aroundFault(startedMs: number, endedMs: number | null, nowMs: number): Span {
  const BEFORE_MS = 30 * MINUTE_MS;
  const fromMs = startedMs - BEFORE_MS;
  const toMs = Math.max(Math.min((endedMs ?? nowMs) + BEFORE_MS, nowMs), fromMs + MINUTE_MS);
  return fitted({ fromMs, toMs }, toMs);
}
