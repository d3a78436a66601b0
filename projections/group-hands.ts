/**
 * The hands on groups: the holds of files that concern a group, from when to when.
 *
 * A hold is a descriptor, a mapping, a place in a queue, or the reference of another file in the
 * kernel. A file concerns a group while it opens the group, while it is a device's file that is bound
 * in the group or was obtained from it, or while it keeps the group's owner alive.
 *
 * @module
 */
import { positionOf, type FileId } from '../processes/process-table.ts';
import type { Reasons } from './index/concerning.ts';
import type { ProcessLabel } from './index/process-spans.ts';
import type { SegmentHand } from './index/segment-hands.ts';
import type { Holder, Position } from './shapes.ts';
import type { Timeline } from './timeline.ts';
import { byProcess, holderShown, referenceFrom } from './views.ts';

/** Half-open: a hold of a file, as long as the file concerned a group for the same reasons. */
export interface HandIn extends Reasons {
  readonly holder: Holder;
  /** What the evidence calls its process; null for a reference in the kernel. */
  readonly name: ProcessLabel | null;
  /** The file held; for a reference in the kernel, `holder.file` is the one that holds it. */
  readonly of: FileId;
  readonly from: number;
  /** Null while it goes on. */
  readonly to: Position;
}

/**
 * Every hand on a group in the states after the events from `from` up to but without `to` (null: up
 * to the end of the log), by `from`. A hold whose reasons change, or whose process gets another name,
 * is several hands, one after the other.
 */
export function handsOf(timeline: Timeline, group: string, from: number, to: Position): HandIn[] {
  return handsOfEach(timeline, [{ group, from, to }]).flat();
}

/** A group in a range, as `handsOf` is asked about it. */
interface GroupRange {
  readonly group: string;
  readonly from: number;
  readonly to: Position;
}

/**
 * The hands on each of several groups, found in one pass over the log. With `isByVm`, a hold whose process
 * gets another virtual machine is several hands, too.
 */
export function handsOfEach(
  timeline: Timeline,
  ranges: readonly GroupRange[],
  isByVm = false,
): HandIn[][] {
  const isSame: SameHand = (last, hand) =>
    hasSameReasons(last, hand) && isCalled(last, hand, isByVm);
  return joinedOfEach(timeline, ranges, () => true, isSame);
}

/**
 * The descriptors and mappings that kept the owners of each of several groups alive, as `handsOfEach`, whatever
 * else was a reason.
 */
export function keepersOfEach(timeline: Timeline, groups: readonly string[]): HandIn[][] {
  const ranges = groups.map((group) => ({ group, from: timeline.first, to: null }));
  const isKeeper = ({ keepsOwner, process }: SegmentHand) => keepsOwner && process !== null;
  return joinedOfEach(timeline, ranges, isKeeper, isCalled);
}

/** Whether a hold goes on as the same hand. */
type SameHand = (last: HandIn, hand: SegmentHand) => boolean;

function hasSameReasons(last: HandIn, { opens, bound, keepsOwner }: SegmentHand): boolean {
  return last.opens === opens && last.bound === bound && last.keepsOwner === keepsOwner;
}

function isCalled({ name }: HandIn, { process }: SegmentHand, isByVm = false): boolean {
  if (name === null || process === null) return name === process;
  const isSame = name.comm === process.comm && name.cgroup === process.cgroup;
  return isSame && (!isByVm || name.vm === process.vm);
}

/** The hands on groups that are wanted: a hold that goes on in the next segment is one. */
function joinedOfEach(
  timeline: Timeline,
  ranges: readonly GroupRange[],
  isWanted: (hand: SegmentHand) => boolean,
  isSame: SameHand,
): HandIn[][] {
  const { first, head } = timeline;
  const sought = ranges.map(({ group, from, to }) => {
    const code = timeline.hands.codeOf(group) ?? -1;
    return { code, from: Math.max(from, first), to, found: new JoinedHands(isSame) };
  });
  const begin = Math.min(...sought.map(({ from }) => from));
  for (const hands of begin > head ? [] : timeline.hands.from(begin)) {
    const here = sought.filter(({ from, to }) => {
      return hands.last >= from && hands.first < (to ?? Infinity);
    });
    const add = ({ code, from, to, found }: (typeof sought)[number]) => {
      for (const hand of hands.handsOn(code, from, to ?? Infinity)) {
        if (isWanted(hand)) found.add(hand);
      }
    };
    if (here.length < 2) here.forEach(add);
    else hands.reading(() => here.forEach(add));
  }
  return sought.map(({ to, found }) => {
    const lasting = Math.min(to ?? Infinity, head + 1);
    const hands = found.hands.map((hand) => (hand.to === lasting ? { ...hand, to } : hand));
    return hands.toSorted((a, b) => byBegin(a, a.holder, b, b.holder));
  });
}

class JoinedHands {
  readonly hands: (HandIn & { to: Position })[] = [];
  readonly #isSame: SameHand;
  /** The last hand of each hold. */
  readonly #last = new Map<number | string, HandIn & { to: Position }>();

  constructor(isSame: SameHand) {
    this.#isSame = isSame;
  }

  add(hand: SegmentHand): void {
    const { process, number, of } = hand;
    const key = process === null ? `${number} ${of}` : number;
    const last = this.#last.get(key);
    if (last?.to === hand.from && this.#isSame(last, hand)) last.to = hand.to;
    else {
      const next = handIn(hand);
      this.hands.push(next);
      this.#last.set(key, next);
    }
  }
}

function handIn(hand: SegmentHand): HandIn {
  const { opens, bound, keepsOwner, process, via, fd, from, to } = hand;
  const of: FileId = `f${hand.of}`;
  const reasons = { opens, bound, keepsOwner };
  if (process === null) {
    return { ...reasons, holder: referenceFrom(`f${hand.number}`), name: null, of, from, to };
  }
  const { pid, comm, cgroup } = process;
  const holder = holderShown({ pid, comm, cgroup, via, fd, file: of });
  return { ...reasons, holder, name: process, of, from, to };
}

/**
 * Compares hands by their begin, then by process and descriptor, then by what is held and how long. Equal
 * are only those that differ in nothing: no order depends on where segments begin.
 */
export function byBegin(a: OrderedHand, one: Holder, b: OrderedHand, other: Holder): number {
  return (
    a.from - b.from ||
    byProcess(one, other) ||
    placeOf(one.file) - placeOf(other.file) ||
    placeOf(a.of) - placeOf(b.of) ||
    (a.to ?? Infinity) - (b.to ?? Infinity) ||
    0
  );
}

interface OrderedHand {
  readonly from: number;
  readonly to: Position;
  readonly of?: FileId;
}

function placeOf(file: FileId | null | undefined): number {
  return file == null ? -1 : positionOf(file);
}
