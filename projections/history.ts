/**
 * Ownership over time: the intervals of a subject, and the changes of owners between two moments.
 *
 * @module
 */
import { bareOwnerAt, openInterval, ownerAt } from './owner-at.ts';
import { partiesOf } from './parties.ts';
import type { Change, Diff, Interval, Owner, OwnerInterval } from './shapes.ts';
import { keyOf, type Subject } from './subjects.ts';
import { timed } from './timed.ts';
import type { Timeline } from './timeline.ts';
import { byNumber } from './views.ts';
import { positionOrNull } from './when.ts';

/**
 * The intervals of a subject, half-open and without gaps from the start of the log on. Their owner
 * is the one that `who` answers at each of their positions.
 */
export function historyOf(timeline: Timeline, subject: Subject): Interval[] {
  const intervals =
    subject.kind === 'group'
      ? intervalsOf(timeline, subject.id)
      : intervalsBetween(timeline, subject, placesOf(timeline, subject));
  return intervals.map((interval) => timed(timeline, interval));
}

/** The intervals of a subject whose owner changes at no position but these, which ascend. */
function intervalsBetween(
  timeline: Timeline,
  subject: Subject,
  places: Iterable<number>,
): OwnerInterval[] {
  const found: OwnerInterval[] = [];
  let last = openInterval(timeline, subject);
  for (const position of places) {
    const { owner } = partiesOf(timeline.hostAt(position), subject);
    if (owner.kind === last.owner.kind && owner.file === last.owner.file) continue;
    found.push({ ...last, to: position, endedBy: timeline.typeAt(position) });
    last = { ...last, from: position, owner };
  }
  return [...found, last];
}

/** As `historyOf` for a group, from the changes of owners in the time index. */
export function intervalsOf(timeline: Timeline, group: string): OwnerInterval[] {
  const intervals = [openInterval(timeline, { kind: 'group', id: group })];
  for (const { position } of timeline.handedOver(-1, timeline.head, group)) {
    handOver(timeline, intervals, position, ownerAt(timeline, group, position));
  }
  return intervals;
}

/**
 * The intervals of every group that has ever changed hands, by group, without the holders of owners.
 * One pass over the log, however many groups there are.
 */
export function intervalsOfGroups(timeline: Timeline): Map<string, readonly OwnerInterval[]> {
  const all = new Map<string, OwnerInterval[]>();
  for (const { position, group } of timeline.handedOver(-1, timeline.head)) {
    const intervals = all.get(group) ?? [openInterval(timeline, { kind: 'group', id: group })];
    all.set(group, intervals);
    handOver(timeline, intervals, position, bareOwnerAt(timeline, group, position));
  }
  return all;
}

/** Ends the last interval of a group at a position, where the next one begins with another owner. */
function handOver(
  timeline: Timeline,
  intervals: OwnerInterval[],
  position: number,
  owner: Owner,
): void {
  const last = intervals.at(-1);
  // Finding a group whose owner is unknown does not change its owner.
  if (last === undefined || (owner.kind === 'unknown' && last.owner.kind === 'unknown')) return;
  const endedBy = timeline.typeAt(position);
  intervals.splice(-1, 1, { ...last, to: position, endedBy });
  intervals.push({ ...last, from: position, to: null, owner, endedBy: null });
}

/** Positions at which the owner of a subject may have changed, ascending. */
function placesOf(timeline: Timeline, subject: Subject): Iterable<number> {
  const own = [...new Set(timeline.positionsOf(keyOf(subject)))];
  const [first] = own;
  if (first === undefined) return [];
  switch (subject.kind) {
    case 'file':
      return placesOfFile(timeline, subject.id, first);
    case 'process':
      return placesOfProcess(timeline, Number(subject.id), own);
    default:
      return timeline.groupsOfDevice(subject.id).length === 0
        ? placesOfLoneDevice(timeline, own)
        : placesOfDevice(timeline, subject.id, own);
  }
}

/** Changes of the owner of its group, events of the device, and boots. */
function placesOfDevice(timeline: Timeline, device: string, own: Iterable<number>): number[] {
  const places = new Set(own);
  for (const group of timeline.groupsOfDevice(device)) {
    for (const { position } of timeline.handedOver(-1, timeline.head, group)) places.add(position);
  }
  for (let boot = timeline.bootAfter(-1); boot !== null; boot = timeline.bootAfter(boot)) {
    places.add(boot);
  }
  return [...places].toSorted((a, b) => a - b);
}

/** A device whose group was never recorded: its owner changes with its files. */
function* placesOfLoneDevice(timeline: Timeline, own: readonly number[]): Generator<number> {
  const [first = 0] = own;
  yield first;
  yield* timeline.shifts(first + 1, own);
}

/** The group of a file, and the groups that it owns, may change while it is open. */
function* placesOfFile(timeline: Timeline, file: string, opened: number): Generator<number> {
  yield opened;
  for (const position of timeline.shifts(opened + 1)) {
    yield position;
    if (timeline.viewAt(position).file(file) === undefined) return;
  }
}

/** Which files a process holds may change, and the owners of their groups. */
function* placesOfProcess(
  timeline: Timeline,
  pid: number,
  own: readonly number[],
): Generator<number> {
  let last = -1;
  for (const start of own) {
    if (start <= last) continue;
    // While it holds no file, only an event that concerns the process can give it one.
    for (const position of timeline.shifts(start, own)) {
      yield position;
      last = position;
      if (!timeline.viewAt(position).holdsAny(pid)) break;
    }
  }
}

/** Every change of a group's owner after `from`, up to `to`, in order of position and group. */
export function changesBetween(timeline: Timeline, from: number, to: number): Diff {
  const handed = [...timeline.handedOver(from, to)].toSorted(
    (a, b) => a.position - b.position || byNumber(a.group, b.group),
  );
  const changes = handed.flatMap(({ group, position }): Change[] => {
    // The holders right before the change, which may differ from those at the start of the interval.
    const before = ownerAt(timeline, group, position - 1);
    const after = ownerAt(timeline, group, position);
    // Finding a group whose owner is unknown does not change its owner.
    if (before.kind === 'unknown' && after.kind === 'unknown') return [];
    return [timed(timeline, { subject: group, before, after, position })];
  });
  return timed(timeline, { from: positionOrNull(from), to: positionOrNull(to), changes });
}
