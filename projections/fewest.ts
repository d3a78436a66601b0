/**
 * The fewest of several things that still show something together.
 *
 * @module
 */

/**
 * Leaves out ever smaller runs for as long as what is left `shows` it. None of what remains can be
 * left out.
 */
export function fewestOf<T>(
  all: readonly T[],
  shows: (some: readonly T[]) => boolean,
): readonly T[] {
  let left = all;
  let size = Math.ceil(left.length / 2);
  for (;;) {
    let isShorter = false;
    for (let start = 0; start < left.length;) {
      const fewer = [...left.slice(0, start), ...left.slice(start + size)];
      if (shows(fewer)) {
        left = fewer;
        isShorter = true;
      } else start += size;
    }
    if (size <= 1 && !isShorter) return left;
    size = Math.max(1, Math.floor(size / 2));
  }
}
