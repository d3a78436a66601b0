/**
 * The lineage of a file: the chain of events by which each of its holders got it.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import { holderOf, type HoldAt } from './index/hold-at.ts';
import type { Descent, DescentStep } from './shapes.ts';
import { timed } from './timed.ts';
import { holderShown, pidShown } from './views.ts';
import type { Timeline } from './timeline.ts';

/**
 * For each holder of a file at a position, the events by which it got the file: the open first,
 * then every dup, fork, pass and mmap.
 */
export function lineageOf(timeline: Timeline, file: FileId, position: number): Descent[] {
  const holds = timeline.viewAt(position).holdsOf(file);
  return holds.map((hold) => ({ ...holderShown(holderOf(hold)), chain: chainOf(timeline, hold) }));
}

function chainOf(timeline: Timeline, hold: HoldAt): readonly DescentStep[] {
  const steps: DescentStep[] = [];
  let least = hold.number;
  for (let next: HoldAt | null = hold; next !== null;) {
    const { since, from, pid, fd }: HoldAt = next;
    const step = { position: since, type: timeline.typeAt(since), pid: pidShown(pid), fd };
    steps.push(timed(timeline, step));
    if (from !== null && from >= least) {
      throw new RangeError(`hold ${least} is a copy of hold ${from}, which was made after it`);
    }
    least = from ?? 0;
    next = from === null ? null : timeline.holdNumbered(from);
  }
  return steps.toReversed();
}
