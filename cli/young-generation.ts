/**
 * The sizes of V8's heap: of the young generation, where objects are allocated, and of the whole.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the young generation at its present size; the heap gets no limit. V8 would let it grow to
 * 128 MB: answers then take up to twice the memory, and no less time. Call it when the log is open.
 */
export function keepYoungGeneration(): void {
  // V8 reads --max-semi-space-size only at the start of a process.
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** The heap grows by this percentage of what is alive before garbage is collected. */
const GROWTH = 50;

/**
 * Keeps the heap close to what is alive, for the time in which much text passes through. V8 would let it
 * grow to several times that: an import then takes up to 200 MB more, and a fifth less time.
 */
export function keepHeapSmall(): void {
  keepYoungGeneration();
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
}
