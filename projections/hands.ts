/**
 * The hands of an interval of ownership: what kept its owner alive, from when to when.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import { follow } from './follow.ts';
import { byBegin, type HandIn } from './group-hands.ts';
import { countBelow } from './index/columns.ts';
import { holderOf, type HoldAt } from './index/hold-at.ts';
import { keepersOf } from './index/keepers.ts';
import type { HostPart } from './index/segment.ts';
import type { StandingView } from './index/view.ts';
import { groupOfFile } from './parties.ts';
import { groupAt, type SubjectAt } from './parties-at.ts';
import type { Hand, OwnerInterval } from './interval-shapes.ts';
import type { Holder, Position } from './shapes.ts';
import { keyOf, type Subject } from './subjects.ts';
import { timed } from './timed.ts';
import type { Timeline } from './timeline.ts';
import { filesOfDevice } from './device-state.ts';
import { holderShown, keepingAlive } from './views.ts';

/**
 * The descriptors and mappings that kept the owner of an interval of `subject` alive, clipped to the
 * interval: at each of its positions, the holders of its owner. Of an unknown owner: all that were
 * seen on files of the group, else of the subject.
 */
export function handsIn(timeline: Timeline, subject: Subject, interval: OwnerInterval): Hand[] {
  const { owner, from, to } = interval;
  if (owner.kind === 'none' || owner.kind === 'kernel') return [];
  const { file } = owner;
  const spans = new Spans<Holder>();
  follow(timeline, from ?? timeline.first, to, (host, position) => {
    const { part, holds } =
      file === null ? seenOn(timeline, host, { ...subject, position }) : keeping(host, file);
    for (const hold of holds) spans.see(hold.number, nameOf(hold), position, () => shown(hold));
    spans.end(position);
    return part;
  });
  return inOrder(timeline, spans.until(to));
}

/** Stretches as hands, by their begin. */
function inOrder(timeline: Timeline, stretches: readonly Stretch<Holder>[]): Hand[] {
  return stretches
    .toSorted((a, b) => byBegin(a, a.value, b, b.value))
    .map(({ value, from, to }) => timed(timeline, { ...value, from, to }));
}

/** As `handsIn` for each interval of a group, without those whose owner is unknown. */
export function keepersIn(
  timeline: Timeline,
  intervals: readonly OwnerInterval[],
  keepers: readonly HandIn[],
): Map<OwnerInterval, Hand[]> {
  const found = new Map(intervals.map((interval) => [interval, [] as Stretch<Holder>[]]));
  const starts = intervals.map(({ from }) => from ?? -1);
  for (const { holder, from, to } of keepers) {
    const end = to ?? Infinity;
    const first = Math.max(countBelow(starts, from + 1) - 1, 0);
    for (const interval of intervals.slice(first)) {
      const [begin, until] = [interval.from ?? -1, interval.to ?? Infinity];
      if (begin >= end) break;
      const clipped = { from: Math.max(from, begin), to: Math.min(end, until) };
      if (interval.owner.file === null || clipped.from >= clipped.to) continue;
      const last = clipped.to === Infinity ? null : clipped.to;
      found.get(interval)!.push({ value: holder, from: clipped.from, to: last });
    }
  }
  return new Map([...found].map(([interval, some]) => [interval, inOrder(timeline, some)]));
}

/** The holds that are hands at a moment, and the part of the host on which that depends. */
interface HandsNow {
  readonly part: HostPart;
  readonly holds: readonly HoldAt[];
}

function keeping(host: StandingView, owner: FileId): HandsNow {
  const { files, holds } = keepersOf(host, owner);
  return { part: { files }, holds };
}

/** The hands that are seen while the owner of a subject is unknown. */
function seenOn(timeline: Timeline, host: StandingView, subject: SubjectAt): HandsNow {
  const part = partSeen(timeline, host, subject);
  const holds = part.files.flatMap((file) => host.holdsOf(file));
  if (subject.kind !== 'process') return { part, holds };
  return { part, holds: holds.filter(({ pid }) => String(pid) === subject.id) };
}

/** The files on which hands are seen while the owner of a subject is unknown. */
function partSeen(timeline: Timeline, host: StandingView, subject: SubjectAt): HostPart {
  const { kind, id } = subject;
  const subjects = [keyOf({ kind, id })];
  switch (kind) {
    case 'group':
      return { files: filesOfGroup(host, id), groups: [id] };
    case 'device': {
      const device = host.device(id);
      const group = groupAt(timeline, host, subject);
      const alone = device === undefined ? [] : filesOfDevice(host, device).map((file) => file.id);
      const files = group === null ? alone : filesOfGroup(host, group);
      return { files, groups: timeline.known.groupsOf(id), subjects };
    }
    case 'file':
      return { files: [...keepingAlive(host, [id])] };
    case 'process': {
      const { descriptors, mapped = [] } = host.process(Number(id)) ?? {};
      const open = [...(descriptors?.values() ?? [])].map(({ file }) => file);
      const files = [...new Set([...open, ...mapped])];
      return { files: files.filter((file) => host.file(file)?.kind !== 'other'), subjects };
    }
  }
}

/** The open files of a group and of its devices. */
function filesOfGroup(host: StandingView, group: string): FileId[] {
  return [...host.files()].filter((file) => groupOfFile(file) === group).map(({ id }) => id);
}

function shown(hold: HoldAt): Holder {
  return holderShown(holderOf(hold));
}

function nameOf({ comm, cgroup }: HoldAt): string {
  return JSON.stringify([comm, cgroup]);
}

/** Half-open: what was seen, from when to when; `to` is null while it goes on. */
interface Stretch<T> {
  readonly value: T;
  readonly from: number;
  readonly to: Position;
}

/** Collects what is seen at some positions, each from when to when. */
class Spans<T> {
  readonly #ended: Stretch<T>[] = [];
  readonly #open = new Map<
    number | string,
    Stretch<T> & { readonly label: string; seen: number }
  >();

  /**
   * Something is seen at a position. It goes on if it was seen under this key at the position before,
   * with the same label; else `make` makes it.
   */
  see(key: number | string, label: string, position: number, make: () => T): void {
    const open = this.#open.get(key);
    if (open?.label === label) open.seen = position;
    else {
      if (open !== undefined) this.#end(open, position);
      this.#open.set(key, { value: make(), from: position, to: null, label, seen: position });
    }
  }

  /** Ends at a position what was not seen there. */
  end(position: number): void {
    for (const [key, open] of this.#open) {
      if (open.seen === position) continue;
      this.#end(open, position);
      this.#open.delete(key);
    }
  }

  /** All spans; what was still seen last ends at `to`. */
  until(to: Position): readonly Stretch<T>[] {
    for (const open of this.#open.values()) this.#end(open, to);
    return this.#ended;
  }

  #end({ value, from }: Stretch<T>, to: Position): void {
    this.#ended.push({ value, from, to });
  }
}
