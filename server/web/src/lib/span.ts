// Which rows of a long list are drawn: those in sight and some around them, and those that must be there wherever
// they are (the one with the focus). Short lists are drawn whole, so that a browser's own search finds all. Pure.

/** Lists up to so long are drawn whole. */
export const WHOLE_MAX = 200;
/** Rows drawn beyond each edge of what is in sight. */
const BEYOND = 4;
/** The span moves by so many rows at a time, so that a little scrolling draws nothing anew. */
const GRAIN = 4;

/** Rows from the first to before the last. */
export interface Span {
  from: number;
  to: number;
}

/** A row by its place, or room for rows that are not drawn. */
export type Piece = { at: number } | { gap: number; rows: number };

/** What to draw when the list is scrolled by `topPx` in a box of `boxPx`. */
export function spanOf(count: number, topPx: number, boxPx: number, rowPx: number): Span {
  if (count <= WHOLE_MAX || rowPx <= 0) return { from: 0, to: Math.min(count, WHOLE_MAX) };
  // A list that became shorter is scrolled back by the browser only when it is drawn.
  const first = Math.min(Math.floor(topPx / rowPx), Math.max(0, count - Math.ceil(boxPx / rowPx)));
  const last = first + Math.ceil(boxPx / rowPx);
  return {
    from: Math.max(0, Math.floor((first - BEYOND) / GRAIN) * GRAIN),
    to: Math.min(count, Math.ceil((last + BEYOND) / GRAIN) * GRAIN),
  };
}

/** The span and the kept rows in their order, with gaps for all between. */
export function pieces(count: number, span: Span, kept: readonly number[]): Piece[] {
  const extra = kept.filter((at) => at >= 0 && at < count && (at < span.from || at >= span.to));
  const places = new Set(extra);
  for (let at = span.from; at < Math.min(span.to, count); at += 1) places.add(at);
  const list: Piece[] = [];
  let next = 0;
  let gaps = 0;
  for (const at of [...places].sort((a, b) => a - b)) {
    if (at > next) list.push({ gap: gaps++, rows: at - next });
    list.push({ at });
    next = at + 1;
  }
  if (next < count) list.push({ gap: gaps, rows: count - next });
  return list;
}
