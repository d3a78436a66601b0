/**
 * The lineage of a file: how each of its holders came by it, from the open on.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import { holderOf, type HoldAt } from './index/hold-at.ts';
import type { Descent, DescentStep } from './shapes.ts';
import { holderShown } from './views.ts';
import type { Timeline } from './timeline.ts';

/**
 * For each holder of a file at a position: the events through which it came by it, the open first,
 * then every dup, fork, pass and mapping.
 */
export function lineageOf(timeline: Timeline, file: FileId, position: number): Descent[] {
  const holds = timeline.viewAt(position).holdsOf(file);
  return holds.map((hold) => ({ ...holderShown(holderOf(hold)), chain: chainOf(timeline, hold) }));
}

function chainOf(timeline: Timeline, hold: HoldAt): readonly DescentStep[] {
  const steps: DescentStep[] = [];
  for (let next: HoldAt | null = hold; next !== null;) {
    const { since, from, pid, fd }: HoldAt = next;
    steps.push({ position: since, type: timeline.typeAt(since), pid, fd });
    next = from === null ? null : timeline.holdNumbered(from);
  }
  return steps.toReversed();
}
