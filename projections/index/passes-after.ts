/**
 * When a refused call would pass, from the rows of the index.
 *
 * @module
 */
import type { Position } from '../shapes.ts';
import { FIRST_NUMBER, NEVER, PASSES, UNSURE } from './open-refusals.ts';
import type { TimeIndex } from './time-index.ts';

/**
 * The first later position at which the refused call of the event at `position` would pass; null if
 * there is none within the boot. `passes`: how it ends, or its code (`open-refusals.ts`).
 */
export function passesAfter(
  index: TimeIndex,
  passes: number,
  position: number,
): Position | 'unsure' {
  let [as, at] = [passes, position];
  const met = new Set<number>();
  while (as >= FIRST_NUMBER) {
    const number = as - FIRST_NUMBER;
    if (met.has(number)) throw new RangeError(`refusal ${number} goes on as itself`);
    met.add(number);
    const settled = index.segmentEnding(number, at).settlingOf(number);
    if (settled === null) return null;
    ({ as, position: at } = settled);
  }
  if (as === UNSURE) return 'unsure';
  if (as === PASSES) return at;
  if (as === NEVER) return null;
  throw new RangeError(`position ${at}: a refusal ends in no way of code ${as}`);
}
