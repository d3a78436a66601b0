/**
 * Who owned a group at a random position: the kind of owner and its file, beside a table of
 * intervals.
 *
 * @module
 */
import type { Timeline } from '../projections/timeline.ts';
import { bareOwnerAt } from '../projections/owner-at.ts';
import { nobody } from '../projections/views.ts';
import { Random } from './host/random.ts';
import type { Notes } from './notes.ts';
import { Intervals, type OwnerFile } from './peers/owner-intervals.ts';
import { elapsed } from './questions.ts';

/** Questions that one of the two is asked before it is the other's turn. */
const TURN = 100;

/** The times of so many questions, in ms, after as many that do not count. Throws if the two differ. */
export function askOwners(
  past: Timeline,
  path: string,
  { events, groups }: Notes,
  count: number,
  seed: number,
): { readonly ours: readonly number[]; readonly peer: readonly number[] } {
  const random = new Random(seed);
  const intervals = new Intervals(path);
  const spent: Record<'ours' | 'peer', number[]> = { ours: [], peer: [] };
  const turn = Math.min(TURN, count);
  for (let asked = -count; asked < count; asked += turn) {
    const places = Array.from({ length: turn }, () => {
      return { group: random.pick(groups), position: random.below(events) };
    });
    const answers: OwnerFile[] = [];
    for (const { group, position } of places) {
      const ours = elapsed(() => answers.push(bareOwnerAt(past, group, position)));
      if (asked >= 0) spent.ours.push(ours);
    }
    for (const [index, { group, position }] of places.entries()) {
      let owner: OwnerFile | null = null;
      const peer = elapsed(() => (owner = intervals.at(group, position)));
      if (asked >= 0) spent.peer.push(peer);
      checkSame(`group ${group} at ${position}`, answers[index] ?? nobody, owner);
    }
  }
  intervals.close();
  return spent;
}

function checkSame(where: string, ours: OwnerFile, peer: OwnerFile | null): void {
  const { kind, file } = peer ?? nobody;
  if (ours.kind === kind && ours.file === file) return;
  throw new Error(`${where}: ${ours.kind} ${ours.file}, and ${kind} ${file} to the peer`);
}
