/**
 * Shrinks a sequence that shows something to the shortest that still does.
 *
 * @module
 */
import { leavingOut } from '../projections/fewest.ts';

/** Leaves out operations for as long as `stillShows` says so. Nothing can be left out of the rest. */
export async function shrink<T>(
  operations: readonly T[],
  stillShows: (fewer: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  const search = leavingOut(operations);
  let step = search.next();
  while (step.done !== true) step = search.next(await stillShows(step.value));
  return step.value;
}
