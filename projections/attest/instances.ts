/**
 * Instances: where what an attestation denies was seen, and the hands of which it is not known whether
 * they are an instance.
 *
 * @module
 */
import { handsOfEach } from '../group-hands.ts';
import { ownersOf } from '../history.ts';
import { bareOwnerAt } from '../owner-at.ts';
import type { Owner, Position } from '../shapes.ts';
import type { Subject } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';
import type { StateRange } from '../when.ts';
import type { Attestation, AttestQuestion, HandsInstance } from './attestation.ts';
import { pastHoldersOf } from './past-holders.ts';
import { placesOf, type HandsPlace } from './places.ts';
import { groupsOfBoth } from './relevant.ts';
import { runsOf, type Condition, type HandsRun } from './runs.ts';
import { isPlain, Shares, type SharedHand } from './shares.ts';
import type { Tenant } from './tenants.ts';

interface Search {
  readonly question: AttestQuestion;
  /** Null: every group. */
  readonly subject: Subject | null;
  readonly tenants: readonly Tenant[];
  readonly range: StateRange;
  /** Whether all processes were seen in the whole range. */
  readonly isSeen: boolean;
}

type Found = Pick<Attestation, 'instances' | 'unknownHands'>;

/** The hands that make an instance of what a question denies, of those at a moment. */
const conditions: Readonly<Record<AttestQuestion, Condition>> = {
  'never-shared': (hands) => {
    const [one = [], other = []] = [0, 1].map((tenant) =>
      plainly(hands.filter(({ shares }) => shares[tenant]?.isOwn === true)),
    );
    return one.length > 0 && other.length > 0 ? [...new Set([...one, ...other])] : [];
  },
  'never-owned': (hands) => plainly(hands.filter(isOwners)),
  'sole-owner': (hands) => {
    return plainly(
      hands.filter(({ keepsOwner, shares: [its] }) => keepsOwner && its?.isOthers === true),
    );
  },
};

/** Whether a hand kept the owner alive and was the tenant's. */
function isOwners({ keepsOwner, shares: [its] }: SharedHand): boolean {
  return keepsOwner && its?.isOwn === true;
}

/** Descriptors and mappings; only if there are none, references in the kernel, which say less. */
function plainly(hands: readonly SharedHand[]): readonly SharedHand[] {
  const plain = hands.filter(isPlain);
  return plain.length > 0 ? plain : hands;
}

/** Where what a question denies was seen, and where it is not known whose a hand is. */
export function findInstances(timeline: Timeline, search: Search): Found {
  const { question, subject, tenants, range, isSeen } = search;
  const instances: HandsInstance[] = [];
  const unknownHands: HandsInstance[] = [];
  let isOwner = false;
  const relevant = question === 'never-shared' ? groupsOfBoth(timeline, tenants, range) : null;
  const places = placesOf(timeline, subject, range).flatMap((place) => {
    const { end, group } = place;
    if (relevant?.has(group) === false) return [];
    return { ...place, to: end > timeline.head ? null : end };
  });
  const isByVm = tenants.some(({ kind }) => kind === 'vm');
  const handsIn = handsOfEach(timeline, places, isByVm);
  const references = handsIn.flat().filter((hand) => !isPlain(hand));
  const past = pastHoldersOf(timeline, references);
  for (const [index, place] of places.entries()) {
    const { group, to } = place;
    const shares = new Shares(timeline, group, tenants, past);
    const hands = (handsIn[index] ?? []).flatMap((hand) => shares.of(hand));
    isOwner ||= hands.some(isOwners);
    const runs = runsOf(hands, conditions[question]);
    if (question === 'sole-owner') runs.push(...kernelRuns(timeline, place, to));
    instances.push(...runs.map((run) => instanceOf(timeline, place, run)));
    const unknown = hands.filter((hand) => isUnknown(hand, question));
    const plain = Map.groupBy(unknown.filter(isPlain), processOf);
    const theirs = [...plain.values()].flatMap((held) => runsOf(held, (hands) => hands));
    const rest = runsOf(unknown, (held) => (held.some(isPlain) ? [] : held));
    unknownHands.push(...[...theirs, ...rest].map((run) => instanceOf(timeline, place, run)));
  }
  if (question === 'sole-owner' && subject?.kind === 'device') {
    instances.push(...kernelBesideGroups(timeline, subject, places, range));
  }
  const isNobodys = question === 'sole-owner' && !isOwner && instances.length === 0;
  if (isNobodys && subject !== null && isSeen && unknownHands.length === 0) {
    instances.push(neverOwned(timeline, subject, range));
  }
  return {
    instances: instances.toSorted((a, b) => a.from - b.from),
    unknownHands: unknownHands.toSorted((a, b) => a.from - b.from),
  };
}

/** Whether it is not known if a hand is of a tenant, or if it is only of that one. */
function isUnknown({ shares }: SharedHand, question: AttestQuestion): boolean {
  return shares.some(({ isOwn, isOthers }) => {
    return isOwn === null || (question === 'sole-owner' && isOthers === null);
  });
}

/** The key of the process that has a hand. */
function processOf({ holder: { pid, comm, cgroup } }: SharedHand): string {
  return JSON.stringify([pid, comm, cgroup]);
}

/** The runs of states in which kernel drivers owned the group of a place. */
function kernelRuns(
  timeline: Timeline,
  { group, from, end }: HandsPlace,
  to: Position,
): HandsRun[] {
  const runs: HandsRun[] = [];
  let begun: number | null = null;
  const changes = timeline.handedOver(from, end - 1, group);
  for (const position of [from, ...[...changes].map((change) => change.position)]) {
    const isKernel = bareOwnerAt(timeline, group, position).kind === 'kernel';
    if (isKernel) begun ??= position;
    if (isKernel || begun === null) continue;
    runs.push({ from: begun, to: position, hands: [] });
    begun = null;
  }
  return begun === null ? runs : [...runs, { from: begun, to, hands: [] }];
}

/** Where kernel drivers owned a device while its group was not known. `places` are those of its groups. */
function kernelBesideGroups(
  timeline: Timeline,
  device: Subject,
  places: readonly HandsPlace[],
  { from, to }: StateRange,
): HandsInstance[] {
  const owned = ownersOf(timeline, device).filter(({ owner }) => owner.kind === 'kernel');
  return owned.flatMap((interval) => {
    const found: HandsInstance[] = [];
    let start = Math.max(interval.from ?? timeline.first, from);
    const end = Math.min(interval.to ?? Infinity, to + 1);
    for (const place of [...places, { from: end, end }]) {
      const until = Math.min(place.from, end);
      if (start < until) found.push(ownedIn(timeline, device, start, until, 'kernel'));
      start = Math.max(start, place.end);
    }
    return found;
  });
}

function instanceOf(
  timeline: Timeline,
  { subject, group }: HandsPlace,
  run: HandsRun,
): HandsInstance {
  const { from, to, hands } = run;
  return {
    subject,
    from,
    to,
    fromTime: timeline.hands.timeAt(group, from),
    toTime: to === null ? null : timeline.hands.timeAt(group, to),
    owner: bareOwnerAt(timeline, group, from).kind,
    holders: hands.map(({ holder }) => holder),
  };
}

/** The whole range, in which everything was seen, and no hand of the tenant kept the owner alive. */
function neverOwned(timeline: Timeline, subject: Subject, { from, to }: StateRange): HandsInstance {
  return ownedIn(timeline, subject, from, to + 1, 'none');
}

/** Half-open: the owner of a subject without any hand. */
function ownedIn(
  timeline: Timeline,
  { id }: Subject,
  from: number,
  end: number,
  owner: Owner['kind'],
): HandsInstance {
  const to = end > timeline.head ? null : end;
  return {
    subject: id,
    from,
    to,
    fromTime: timeline.timeAt(from),
    toTime: to === null ? null : timeline.timeAt(to),
    owner,
    holders: [],
  };
}
