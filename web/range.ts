/**
 * The part of a history that is in view: zooming and moving.
 *
 * @module
 */

/** Positions, both ends included. */
export interface ViewRange {
  readonly from: number;
  readonly to: number;
}

/** The part of `all` that was chosen: inside of it, and never empty. */
export function rangeIn(all: ViewRange, from: number | null, to: number | null): ViewRange {
  const first = clamp(from ?? all.from, all.from, all.to);
  return { from: first, to: clamp(to ?? all.to, first, all.to) };
}

/** `factor` times as many positions, with `around` at the same place of the range. */
export function zoomed(
  all: ViewRange,
  range: ViewRange,
  factor: number,
  around: number,
): ViewRange {
  const length = range.to - range.from + 1;
  const wanted = clamp(Math.round(length * factor), 1, all.to - all.from + 1);
  const pivot = clamp(around, range.from, range.to);
  const from = Math.round(pivot - ((pivot - range.from) * wanted) / length);
  return at(all, from, wanted);
}

/** Moved by so many positions. */
export function moved(all: ViewRange, range: ViewRange, by: number): ViewRange {
  return at(all, range.from + by, range.to - range.from + 1);
}

/** The range, moved as little as shows a position. */
export function showing(all: ViewRange, range: ViewRange, position: number): ViewRange {
  const wanted = clamp(position, all.from, all.to);
  if (wanted < range.from) return moved(all, range, wanted - range.from);
  return wanted > range.to ? moved(all, range, wanted - range.to) : range;
}

function at(all: ViewRange, from: number, length: number): ViewRange {
  const first = clamp(from, all.from, Math.max(all.from, all.to - length + 1));
  return { from: first, to: first + length - 1 };
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
