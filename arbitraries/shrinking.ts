/**
 * Shrinks a host and what is done on it: fewer steps, a smaller host, simpler steps.
 *
 * Every shorter list of steps can be run, so they are left out by runs, and at last in pairs: an open
 * and its close are often left out only together.
 *
 * @module
 */
import type fc from 'fast-check';
import type { HostSettings } from './host-settings.ts';

/** A step, and what it was drawn from; null if it was given as an example. */
export interface DrawnStep<T> {
  readonly value: fc.Value<T>;
  readonly arbitrary: fc.Arbitrary<T> | null;
}

/** A host, and what is done on it. */
export interface DrawnSteps<T> {
  readonly settings: fc.Value<HostSettings>;
  readonly steps: readonly DrawnStep<T>[];
}

/** Pairs are left out of at most so many steps. */
const MOST_IN_PAIRS = 16;

/** Simpler ones, the simplest first. */
export function* shrunk<T>(
  { settings, steps }: DrawnSteps<T>,
  hosts: fc.Arbitrary<HostSettings>,
): IterableIterator<DrawnSteps<T>> {
  for (const fewer of withoutSome(steps)) yield { settings, steps: fewer };
  for (const smaller of hosts.shrink(settings.value_, settings.context)) {
    yield { settings: smaller, steps };
  }
  for (const [at, { value, arbitrary }] of steps.entries()) {
    if (arbitrary === null) continue;
    for (const simpler of arbitrary.shrink(value.value_, value.context)) {
      yield { settings, steps: steps.with(at, { value: simpler, arbitrary }) };
    }
  }
}

function* withoutSome<T>(steps: readonly T[]): Generator<readonly T[]> {
  for (let size = steps.length; size > 0; size = Math.floor(size / 2)) {
    for (let end = steps.length; end > 0; end -= size) {
      yield steps.toSpliced(Math.max(0, end - size), Math.min(size, end));
    }
  }
  if (steps.length > MOST_IN_PAIRS) return;
  for (const [at, step] of steps.entries()) {
    for (const other of steps.slice(at + 2)) {
      yield steps.filter((kept) => kept !== step && kept !== other);
    }
  }
}
