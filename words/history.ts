/**
 * Sentences about ownership intervals: their ends, hands and overlaps, and that there are none.
 *
 * @module
 */
import type { Coverage } from '../projections/coverage.ts';
import type { Hand, Interval } from '../projections/interval-shapes.ts';
import type { Diff, Overlap, Owner } from '../projections/shapes.ts';
import { START } from '../projections/when.ts';
import type { Cell } from './columns.ts';
import { NONE_SEEN, noneWords } from './coverage.ts';
import { sentence, type History } from './events.ts';
import { positionWords } from './moments.ts';
import { holdersWords, ownerCell, ownerWords } from './owners.ts';

/** The event that ended an interval; a dash if it has not ended. */
export function endWords({ to }: Pick<Interval, 'to'>, history: History): string {
  return to === null ? '-' : sentence(history, to);
}

/**
 * The owner in an interval. `ofProcess`: the coverage of a process; if not all processes were seen in the
 * interval, the process may have kept an owner alive that nothing shows.
 */
export function ownedCell({ owner, from, to }: Interval, ofProcess: Coverage | null): Cell {
  const isUnseen = ofProcess?.unknown.some((part) => {
    return (part.to ?? Infinity) > (from ?? START) && (part.from ?? START) < (to ?? Infinity);
  });
  return owner.kind === 'none' && isUnseen === true ? NONE_SEEN : ownerCell(owner);
}

/** The title above the groups that a path was the node of. */
export function incarnationsTitle(group: string): string {
  return `/dev/vfio/${group} was the node of, one after the other:`;
}

/** The VFIO devices of a group; `not known` if the log does not name any. */
export function devicesWords(devices: readonly string[]): string {
  return devices.join(', ') || 'not known';
}

/** The hands that a process had from one position to another. */
export interface HandsOfProcess extends Pick<Hand, 'from' | 'fromTime' | 'to' | 'toTime'> {
  /** `held by P2[102] fd 5`; if the owner is unknown, `seen: P2[102] fd 5`. */
  readonly words: string;
  readonly cgroup: string | null;
}

/** The hands on an owner; those of one process that began and ended together are one. */
export function handsOfProcesses(owner: Owner, hands: readonly Hand[]): HandsOfProcess[] {
  const together = Map.groupBy(hands, ({ pid, comm, cgroup, from, to }) =>
    JSON.stringify([pid, comm, cgroup, from, to]),
  );
  return [...together.values()].flatMap((held): HandsOfProcess[] => {
    const [first] = held;
    if (first === undefined) return [];
    const { from, fromTime, to, toTime, cgroup } = first;
    const words = `${owner.kind === 'unknown' ? 'seen:' : 'held by'} ${holdersWords(held)}`;
    return [{ from, fromTime, to, toTime, cgroup, words }];
  });
}

/** The owners that are claimed at once: `iommufd f8 by P2[102] fd 4 and kernel drivers e1000e`. */
export function overlapWords({ owners, drivers }: Overlap): string {
  const words = owners.map((owner) =>
    owner.kind === 'kernel'
      ? `kernel drivers ${drivers.join(', ')}`
      : `${ownerWords(owner)} by ${holdersWords(owner.holders)}`,
  );
  return words.join(' and ');
}

/** Says that a process never kept the owner of a subject, or of any group, alive. */
export function neverOwnedWords(coverage: Coverage, who: string, subject = 'any group'): string {
  const never = `${who} never kept an owner of ${subject} alive`;
  const unseen = `${who} was not seen to keep an owner of ${subject} alive`;
  return noneWords(coverage, never, unseen);
}

/** Says that nobody waited for a subject, or for any device. */
export function neverAwaitedWords(coverage: Coverage, subject = 'a device'): string {
  const unseen = `nobody was seen to wait for ${subject}`;
  return noneWords(coverage, `nobody ever waited for ${subject}`, unseen);
}

/** Says that a subject, or any group, never had two owners at a time. */
export function neverSharedWords(coverage: Coverage, subject?: string): string {
  const never = subject === undefined ? 'no group ever' : `${subject} never`;
  const unseen = subject === undefined ? 'no group was' : `${subject} was not`;
  const two = 'two owners at a time';
  return noneWords(coverage, `${never} had ${two}`, `${unseen} seen with ${two}`);
}

/** Says that no owner changed between two moments. */
export function unchangedWords({ from, to }: Pick<Diff, 'from' | 'to'>): string {
  return `no group changed owner after ${positionWords(from)}, up to ${positionWords(to)}`;
}
