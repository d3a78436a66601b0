/**
 * Hands: the holds of files that concern a group, from when to when.
 *
 * A hold is a descriptor, a mapping, a place in a queue, or the reference of another file in the
 * kernel. A file concerns a group while it opens the group, while it is a device's file that is bound
 * in the group or was obtained from it, or while it keeps the group's owner alive.
 *
 * @module
 */
import { positionOf, type FileId } from '../processes/process-table.ts';
import { follow, followEach } from './follow.ts';
import { concerning, keepersOf, type Reasons } from './index/concerning.ts';
import { holderOf, type HoldAt } from './index/hold-at.ts';
import type { HostPart } from './index/segment.ts';
import type { StandingView } from './index/view.ts';
import { groupOfFile } from './parties.ts';
import { groupAt, type SubjectAt } from './parties-at.ts';
import type { Hand, OwnerInterval } from './interval-shapes.ts';
import type { Holder, Position } from './shapes.ts';
import { keyOf, type Subject } from './subjects.ts';
import { timed } from './timed.ts';
import type { Timeline } from './timeline.ts';
import { byProcess, filesOfDevice, holderShown, keepingAlive, referenceFrom } from './views.ts';

/** Half-open: a hold of a file, as long as the file concerned a group for the same reasons. */
export interface HandIn extends Reasons {
  readonly holder: Holder;
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

/** The hands on each of several groups, found in one pass over the log. */
export function handsOfEach(timeline: Timeline, ranges: readonly GroupRange[]): HandIn[][] {
  const sought = ranges.map(({ group, from, to }) => {
    const spans: HandSpans = new Spans();
    const look = (host: StandingView, position: number) => lookAt(spans, group, host, position);
    return { spans, from, to, look };
  });
  followEach(timeline, sought);
  return sought.map(({ spans, to }) => {
    const found = spans.until(to).map(({ value, ...span }) => ({ ...value, ...span }));
    return found.toSorted((a, b) => byBegin({ ...a, ...a.holder }, { ...b, ...b.holder }));
  });
}

type HandSpans = Spans<Omit<HandIn, 'from' | 'to'>>;

/** Sees the hands on a group at a moment; gives the part of the host on which they depend. */
function lookAt(spans: HandSpans, group: string, host: StandingView, position: number): HostPart {
  const { files, holds, pins } = concerning(host, group);
  for (const { hold, ...of } of holds) {
    const make = () => ({ holder: shown(hold), ...of });
    spans.see(hold.number, `${reasonsIn(of)} ${nameOf(hold)}`, position, make);
  }
  for (const { pin, ...of } of pins) {
    const make = () => ({ holder: referenceFrom(pin), ...of });
    spans.see(`${pin} ${of.of}`, reasonsIn(of), position, make);
  }
  spans.end(position);
  return { files, groups: [group] };
}

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
  const found = spans.until(to).map(({ value, ...span }) => timed(timeline, { ...value, ...span }));
  return found.toSorted(byBegin);
}

/**
 * Compares hands by their begin, then by process and descriptor, then by what is held and how long. Equal
 * are only those that differ in nothing: no order depends on where segments begin.
 */
function byBegin(a: OrderedHand, b: OrderedHand): number {
  return (
    a.from - b.from ||
    byProcess(a, b) ||
    placeOf(a.file) - placeOf(b.file) ||
    placeOf(a.of) - placeOf(b.of) ||
    (a.to ?? Infinity) - (b.to ?? Infinity) ||
    0
  );
}

type OrderedHand = Holder & Pick<Stretch<Holder>, 'from' | 'to'> & Partial<Pick<HandIn, 'of'>>;

function placeOf(file: FileId | null | undefined): number {
  return file == null ? -1 : positionOf(file);
}

function reasonsIn({ opens, bound, keepsOwner }: Reasons): string {
  return `${opens} ${bound} ${keepsOwner}`;
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
