/**
 * Delta debugging: finds a minimal subset of a list that still passes a test.
 *
 * @module
 */

/**
 * Leaves out runs of elements, halving their length. Yields each shorter list, and receives whether
 * it still passes. Returns a list from which no single element can be left out.
 */
export function* leavingOut<T>(all: readonly T[]): Generator<readonly T[], readonly T[], boolean> {
  let left = all;
  let size = Math.ceil(left.length / 2);
  for (;;) {
    let isShorter = false;
    for (let start = 0; start < left.length;) {
      const fewer = [...left.slice(0, start), ...left.slice(start + size)];
      if (fewer.length > 0 && (yield fewer)) {
        left = fewer;
        isShorter = true;
      } else start += size;
    }
    if (size <= 1 && !isShorter) return left;
    size = Math.max(1, Math.floor(size / 2));
  }
}

/** A subset of `all` that passes `shows`, and from which no single element can be left out. */
export function fewestOf<T>(
  all: readonly T[],
  shows: (some: readonly T[]) => boolean,
): readonly T[] {
  const search = leavingOut(all);
  let step = search.next();
  while (step.done !== true) step = search.next(shows(step.value));
  return step.value;
}
