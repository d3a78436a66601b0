/**
 * Ownership over time: the intervals of a subject, and the changes of owners between two moments.
 *
 * @module
 */
import { positionOf } from '../processes/process-table.ts';
import { claimsOn } from './claimants.ts';
import { follow } from './follow.ts';
import { foundAt } from './found-groups.ts';
import { keepersOfEach } from './group-hands.ts';
import { handsIn, keepersIn } from './hands.ts';
import { bareOwnerAt, openInterval, ownerAt, ownerSince } from './owner-at.ts';
import { groupAt, partAt, partiesAt } from './parties-at.ts';
import type { Hand, PastClaim, Interval, OwnerInterval } from './interval-shapes.ts';
import type { Change, Diff, Owner, Position } from './shapes.ts';
import type { Subject } from './subjects.ts';
import { timed } from './timed.ts';
import type { Timeline } from './timeline.ts';
import { byNumber, nobody } from './views.ts';
import { positionOrNull } from './when.ts';

/**
 * The intervals of a subject, half-open and without gaps from the start of the log on. Their owner
 * is the one that `who` answers at each of their positions.
 */
export function historyOf(timeline: Timeline, subject: Subject): Interval[] {
  const claims = claimsOn(timeline, subject);
  const intervals = ownersOf(timeline, subject);
  const [keepers] = subject.kind === 'group' ? keepersOfEach(timeline, [subject.id]) : [];
  const kept = keepers === undefined ? null : keepersIn(timeline, intervals, keepers);
  return intervals.map((interval) => {
    const hands = interval.owner.file === null ? undefined : kept?.get(interval);
    return {
      ...timed(timeline, interval),
      hands: hands ?? handsIn(timeline, subject, interval),
      claimants: claims.filter((claim) => wasMadeIn(interval, claim)),
    };
  });
}

/**
 * Those intervals of groups that are wanted by their owner and the hands which kept it alive, as
 * `historyOf` gives them, by their begin, then by group. The hands are found in one pass over the log.
 */
export function historiesOf(
  timeline: Timeline,
  groups: readonly string[],
  isWanted: (interval: OwnerInterval, hands: readonly Hand[]) => boolean,
): Interval[] {
  const keepers = keepersOfEach(timeline, groups);
  const bare = intervalsOfGroups(timeline);
  const found = groups.flatMap((id, index) => {
    const subject: Subject = { kind: 'group', id };
    const intervals = bare.get(id) ?? [openInterval(timeline, subject)];
    const kept = keepersIn(timeline, intervals, keepers[index] ?? []);
    const wanted = [...kept].filter(([interval, hands]) => isWanted(interval, hands));
    const claims = wanted.length === 0 ? [] : claimsOn(timeline, subject);
    return wanted.map(([interval, hands]) => ({ subject, interval, hands, claims }));
  });
  return found
    .toSorted((a, b) => (a.interval.from ?? -1) - (b.interval.from ?? -1))
    .map(({ subject, interval, hands, claims }) => {
      const { from, owner } = interval;
      const withHolders = from === null ? owner : ownerAt(timeline, subject.id, from);
      return {
        ...timed(timeline, { ...interval, owner: withHolders }),
        hands: owner.file === null ? handsIn(timeline, subject, interval) : hands,
        claimants: claims.filter((claim) => wasMadeIn(interval, claim)),
      };
    });
}

/** Whether a claim was made in an interval, or before it and not released until then. */
function wasMadeIn({ from, to }: OwnerInterval, claim: PastClaim): boolean {
  return claim.since < (to ?? Infinity) && (claim.to ?? Infinity) > (from ?? -1);
}

/** The intervals of a subject, without what happened in them. */
export function ownersOf(timeline: Timeline, subject: Subject): OwnerInterval[] {
  if (subject.kind === 'group') return intervalsOf(timeline, subject.id);
  const found: OwnerInterval[] = [];
  let last = openInterval(timeline, subject);
  follow(timeline, timeline.first, null, (host, position) => {
    const at = { ...subject, position };
    const { owner } = partiesAt(timeline, host, at);
    if (owner.kind !== last.owner.kind || owner.file !== last.owner.file) {
      found.push({ ...last, to: position, endedBy: timeline.typeAt(position) });
      last = { ...last, from: position, owner };
    }
    return partAt(timeline, host, at);
  });
  return [...found, last];
}

/**
 * Position since which a subject has the owner that it has at `position`. For a device it is that of
 * its group. Null: from the start of the log; or nobody owns a group by the file, or by a file of the
 * process.
 */
export function sinceOf(
  timeline: Timeline,
  subject: Subject,
  { position, owner }: { readonly position: number; readonly owner: Owner },
): Position {
  if (!timeline.isKnownAt(position)) return null;
  const group = groupAt(timeline, timeline.hostAt(position), { ...subject, position });
  if (group !== null) return ownerSince(timeline, group, position).since;
  if (owner.kind === 'none') return null;
  const { file } = owner;
  const begin = file === null ? timeline.first : positionOf(file);
  let last = file === null ? openInterval(timeline, subject).owner : nobody;
  let since: Position = null;
  follow(timeline, begin, position + 1, (host, at) => {
    const now = partiesAt(timeline, host, { ...subject, position: at }).owner;
    if (now.kind !== last.kind || now.file !== last.file) [since, last] = [at, now];
    return partAt(timeline, host, { ...subject, position: at });
  });
  return since;
}

/** As `ownersOf` for a group, from the changes of owners in the time index. */
export function intervalsOf(timeline: Timeline, group: string): OwnerInterval[] {
  const intervals = [openInterval(timeline, { kind: 'group', id: group })];
  const { head } = timeline;
  const changes = [
    ...foundIn(timeline, -1, head, [group]),
    ...timeline.handedOver(-1, head, group),
  ];
  for (const { position } of changes) {
    handOver(timeline, intervals, position, ownerAt(timeline, group, position));
  }
  return intervals;
}

/** Where groups were found after `from`, up to `to`, and are known from then on: no hand-over shows it. */
function* foundIn(
  timeline: Timeline,
  from: number,
  to: number,
  groups: readonly string[],
): Generator<{ readonly group: string; readonly position: number }> {
  for (const group of groups) {
    const position = foundAt(timeline, group);
    if (position === null || position <= from || position > Math.min(to, timeline.head)) continue;
    if (timeline.since(group, position) === null) yield { group, position };
  }
}

/**
 * The intervals of every group that has ever changed hands or was found, by group, without the holders
 * of owners.
 * One pass over the log, however many groups there are.
 */
export function intervalsOfGroups(timeline: Timeline): Map<string, readonly OwnerInterval[]> {
  const all = new Map<string, OwnerInterval[]>();
  const { head } = timeline;
  const found = foundIn(timeline, -1, head, timeline.groups());
  for (const { position, group } of [...found, ...timeline.handedOver(-1, head)]) {
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

/** Every change of a group's owner after `from`, up to `to`, in order of position and group. */
export function changesBetween(timeline: Timeline, from: number, to: number): Diff {
  const found = foundIn(timeline, from, to, timeline.groups());
  const handed = [...found, ...timeline.handedOver(from, to)].toSorted(
    (a, b) => a.position - b.position || byNumber(a.group, b.group),
  );
  const changes = [...Map.groupBy(handed, ({ position }) => position)].flatMap(
    ([position, all]): Change[] => {
      // The holders right before the change, which may differ from those at the start of the interval.
      // All at that moment first: going back to it for each group costs more than the answer.
      const before = all.map(({ group }) => ownerAt(timeline, group, position - 1));
      return all.flatMap(({ group }, index) => {
        const change = { before: before[index]!, after: ownerAt(timeline, group, position) };
        // Finding a group whose owner is unknown does not change its owner.
        if (change.before.kind === 'unknown' && change.after.kind === 'unknown') return [];
        return [timed(timeline, { subject: group, ...change, position })];
      });
    },
  );
  return timed(timeline, { from: positionOrNull(from), to: positionOrNull(to), changes });
}
