/**
 * Shrinks a sequence that shows something to the shortest that still does.
 *
 * @module
 */

/**
 * Leaves out ever smaller runs of operations for as long as `stillShows` says so. Nothing can be
 * left out of what remains.
 */
export async function shrink<T>(
  operations: readonly T[],
  stillShows: (fewer: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let left = operations;
  let size = Math.ceil(left.length / 2);
  for (;;) {
    let shorter = false;
    for (let start = 0; start < left.length;) {
      const fewer = [...left.slice(0, start), ...left.slice(start + size)];
      if (fewer.length > 0 && (await stillShows(fewer))) {
        left = fewer;
        shorter = true;
      } else start += size;
    }
    if (size === 1 && !shorter) return left;
    size = Math.max(1, Math.floor(size / 2));
  }
}
