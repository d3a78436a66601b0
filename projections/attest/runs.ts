/**
 * Runs: the longest stretches of states in which a condition holds of the hands in a group.
 *
 * @module
 */
import type { Position } from '../shapes.ts';
import type { SharedHand } from './shares.ts';

/** Half-open, and the hands that meet the condition at `from`. */
export interface HandsRun {
  readonly from: number;
  readonly to: Position;
  readonly hands: readonly SharedHand[];
}

/** Those of the hands at a moment that meet a condition; none if they do not. */
export type Condition = (hands: readonly SharedHand[]) => readonly SharedHand[];

/** The runs of a condition, ascending. */
export function runsOf(all: readonly SharedHand[], condition: Condition): HandsRun[] {
  const begun = Map.groupBy(all, ({ from }) => from);
  const ended = Map.groupBy(all, ({ to }) => to ?? Infinity);
  const moments = new Set([...begun.keys(), ...ended.keys()]);
  const held = new Set<SharedHand>();
  const runs: HandsRun[] = [];
  let run: HandsRun | null = null;
  for (const moment of [...moments].toSorted((a, b) => a - b)) {
    for (const hand of ended.get(moment) ?? []) held.delete(hand);
    for (const hand of begun.get(moment) ?? []) held.add(hand);
    const hands = condition([...held]);
    if (hands.length > 0) {
      run ??= { from: moment, to: null, hands };
    } else if (run !== null) {
      runs.push({ ...run, to: moment === Infinity ? null : moment });
      run = null;
    }
  }
  return runs;
}
