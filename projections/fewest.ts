/**
 * The fewest of several things that still show something together.
 *
 * @module
 */

/**
 * Leaves out ever smaller runs. Yields what is left, is told whether that still shows it, and
 * returns what nothing can be left out of.
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

/** The fewest that still show it. */
export function fewestOf<T>(
  all: readonly T[],
  shows: (some: readonly T[]) => boolean,
): readonly T[] {
  const search = leavingOut(all);
  let step = search.next();
  while (step.done !== true) step = search.next(shows(step.value));
  return step.value;
}
