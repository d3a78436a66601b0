/**
 * The chain that lifts events of older schemas to today's, one version a step.
 *
 * @module
 */
/** An event as some schema wrote it: known to be JSON, not yet known to be ours. */
export interface RawEvent {
  readonly type: string;
  readonly data: unknown;
}

/** Lifts an event from schema `from` to `from + 1`. Pure; an event that did not change is returned. */
export interface Upcaster {
  readonly from: number;
  readonly upcast: (event: RawEvent) => RawEvent;
}

const chain: readonly Upcaster[] = [
  // Schema 2 says of a log that older parts of it have left; whatever schema 1 says it says as well.
  { from: 1, upcast: (event) => event },
  // Schema 3 can leave open what evidence does not show, and says where an event was seen.
  { from: 2, upcast: (event) => event },
];

/** Version of the shapes in `vocabulary.ts`; every stored event carries the one that it was written by. */
export const SCHEMA = chain.length + 1;

/**
 * The function that runs an event through the chain.
 *
 * Throws `RangeError` where the steps do not lead on from schema 1 without a gap, so that this is met
 * when the program loads and not in the middle of an audit.
 */
export function upcastThrough(
  steps: readonly Upcaster[],
): (event: RawEvent, from: number) => RawEvent {
  for (const [index, step] of steps.entries()) {
    if (step.from !== index + 1) {
      throw new RangeError(`upcaster ${index} lifts schema ${step.from}, not schema ${index + 1}`);
    }
  }
  return (event, from) => steps.slice(from - 1).reduce((raw, step) => step.upcast(raw), event);
}

export const upcast = upcastThrough(chain);
