/**
 * Collects the events that concern an attempt: those of its groups since they were last not in use,
 * and those of the files that had a group open, gave it a context, or shared that context. A change
 * of a driver is also concerned by the devices and drivers of the whole host, and by the files that
 * an unbind waited for.
 *
 * @module
 */
import { isSeenBoot } from '../../events/evidence.ts';
import type { Attempt, DataOf, EventType } from '../../events/vocabulary.ts';
import { contextOf, isCollectedBy, rowOf } from '../../operations/table.ts';
import { effectOf } from '../../processes/effects.ts';
import { positionOf, type FileId } from '../../processes/process-table.ts';
import { plugTypes } from '../index/postings.ts';
import type { Segment } from '../index/segment.ts';
import type { StandingView } from '../index/view.ts';
import type { SubjectKey } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';

/**
 * All events of the groups and files, or only those of the files that the call names; `waits`: those
 * of the groups and files, and what unbinds in the groups waited for.
 */
export type ConcernScope = 'groups' | 'files' | 'waits';

/** Where a call is made, and up to where it is tried again. */
interface Retry {
  /** The position after which it is made. */
  readonly at: number;
  /** The last position after which it is tried again. */
  readonly last: number;
  /** The file in the way. */
  readonly blocker: FileId | null;
  readonly scope: ConcernScope;
}

/** The events of a subject from a position on. */
interface SubjectSince {
  readonly key: SubjectKey;
  readonly since: number;
}

export class Concern {
  /** Positions of the events that concern the attempt. */
  readonly positions = new Set<number>();
  /** Groups that concern it: their devices must exist. */
  readonly groups = new Set<string>();
  /** Those of which all events since they were last not in use concern it. */
  readonly wholeGroups = new Set<string>();
  /** Files that concern it. */
  readonly files = new Set<FileId>();
  /** Whether the devices and drivers of the whole host concern it. */
  readonly isOfDrivers: boolean;
  /**
   * Whether an unbind that waited for other files may be replaced by what came of it. Where the boot
   * was not seen, it may have ended the use of a group by a file whose close was not seen either.
   */
  readonly replacesWaits: boolean;
  readonly #timeline: Timeline;
  readonly #last: number;
  /** Positions that were added and not yet followed, and files whose events are not yet added. */
  #freshPositions: number[] = [];
  #freshFiles: FileId[] = [];

  constructor(timeline: Timeline, call: Attempt, { at, last, blocker, scope }: Retry) {
    this.#timeline = timeline;
    this.#last = last;
    const view = timeline.viewAt(at);
    const named = descriptorsIn(call, view);
    const missing = named.filter(({ pid, fd }) => view.fileBehind(pid, fd) === undefined);
    for (const { pid, fd } of named) this.#addFile(view.fileBehind(pid, fd), view);
    this.#addFile(blocker, view);
    const groups: SubjectSince[] = [];
    for (const group of [...groupsIn(call, view), ...this.groups]) {
      this.groups.add(group);
      const since = view.busySince(group) ?? at + 1;
      if (scope === 'files') continue;
      this.wholeGroups.add(group);
      groups.push({ key: `group ${group}`, since });
    }
    for (const { pid, fd } of missing) this.#recall(pid, fd, at);
    this.isOfDrivers = isDriverChange(call);
    if (this.isOfDrivers) this.#addDrivers();
    else if (scope === 'waits') this.#addWaitsOf(this.wholeGroups);
    const hasWaits = this.isOfDrivers || scope === 'waits';
    this.replacesWaits = hasWaits || !isBootUnseen(timeline, last);
    this.#close(groups);
  }

  /**
   * Adds the events of groups, the files that events involve, and the events of these files, until
   * nothing is new. Each segment is read once, however many files there are.
   */
  #close(groups: readonly SubjectSince[]): void {
    const timeline = this.#timeline;
    const files = this.#freshFiles.map(positionOf);
    const first = least([...groups.map(({ since }) => since), ...files, ...this.#freshPositions]);
    /** Files that are open before the segment, with all their events so far. */
    const open = new Set<FileId>();
    for (const segment of timeline.segments(first)) {
      if (segment.first > this.#last) break;
      if (open.size > 0) {
        const before = timeline.viewAt(segment.first - 1);
        for (const id of open) if (before.file(id) === undefined) open.delete(id);
      }
      for (const { key, since } of groups) this.#addIn(segment, key, since);
      for (const id of open) this.#addIn(segment, `file ${id}`, segment.first);
      for (const id of this.#closeUpTo(Math.min(segment.last, this.#last))) open.add(id);
    }
  }

  /** Follows the positions up to `last`. Returns the files that were found. */
  #closeUpTo(last: number): FileId[] {
    const found: FileId[] = [];
    for (;;) {
      const files = this.#freshFiles.filter((id) => positionOf(id) <= last);
      this.#freshFiles = this.#freshFiles.filter((id) => positionOf(id) > last);
      for (const id of files) {
        this.#addAll(this.#timeline.positionsOf(`file ${id}`, positionOf(id), last));
        found.push(id);
      }
      const positions = this.#freshPositions.filter((position) => position <= last);
      if (positions.length === 0 && files.length === 0) return found;
      this.#freshPositions = this.#freshPositions.filter((position) => position > last);
      for (const position of positions.toSorted((a, b) => a - b)) this.#follow(position);
    }
  }

  #addIn(segment: Segment, key: SubjectKey, since: number): void {
    const events = segment.eventsOf(key);
    for (let index = 0; index < events.length; index++) {
      const position = segment.first + (events[index] ?? 0);
      if (position < since) continue;
      if (position > this.#last) return;
      if (!inert.has(segment.typeAt(position))) this.#add(position);
    }
  }

  #addAll(positions: Iterable<number>): void {
    for (const position of positions) {
      if (!inert.has(this.#timeline.typeAt(position))) this.#add(position);
    }
  }

  #add(position: number): void {
    if (this.positions.has(position)) return;
    this.positions.add(position);
    this.#freshPositions.push(position);
  }

  /**
   * Adds the changes of all devices and drivers since the boot, what unbinds waited for, and the
   * refused waits that collected a change.
   */
  #addDrivers(): void {
    const timeline = this.#timeline;
    const since = timeline.bootBefore(this.#last) + 1;
    const waits: number[] = [];
    for (const segment of timeline.segments(since)) {
      for (const position of segment.positionsOfTypes(ofDrivers, since, this.#last)) {
        this.#add(position);
        if (segment.typeAt(position) === 'driver.unbind-blocked') waits.push(position);
      }
      for (const position of segment.positionsOfTypes(refusals, since, this.#last)) {
        const { type, data } = timeline.at(position);
        if (type === 'operation.refused' && isCollectedBy(data)) this.#add(position);
      }
    }
    for (const position of waits) this.#addWaiting(position);
  }

  /** Adds what the unbinds in some groups waited for. */
  #addWaitsOf(groups: Iterable<string>): void {
    const timeline = this.#timeline;
    const since = timeline.bootBefore(this.#last) + 1;
    for (const group of groups) {
      for (const position of timeline.plugsOf(group, since, this.#last)) {
        if (timeline.typeAt(position) === 'driver.unbind-blocked') this.#addWaiting(position);
      }
    }
  }

  /**
   * Adds the files of a device whose unbind waits, and the events of its group from the moment it
   * was last not in use to the end of the driver change.
   */
  #addWaiting(position: number): void {
    const timeline = this.#timeline;
    const { device } = timeline.at(position).data as DataOf<'driver.unbind-blocked'>;
    const view = timeline.viewAt(position);
    const files = [...view.files()].filter((file) => file.device === device);
    for (const { id } of files) this.#addFile(id, view);
    const group = view.device(device)?.group ?? null;
    if (group === null) return;
    this.groups.add(group);
    const since = view.busySince(group) ?? position;
    this.#addAll(
      timeline.positionsOf(`group ${group}`, since, this.#endOfChange(position, device)),
    );
  }

  /** The next change of a device or its driver, which cannot be before an unbind that waits ends. */
  #endOfChange(position: number, device: string): number {
    for (const next of this.#timeline.positionsOf(`device ${device}`, position + 1, this.#last)) {
      if (ofDrivers.has(this.#timeline.typeAt(next))) return next;
    }
    return this.#last;
  }

  /** Adds a file, with the files that it keeps alive and those that keep it alive. */
  #addFile(id: FileId | null | undefined, view: StandingView): void {
    if (id == null || this.files.has(id)) return;
    this.files.add(id);
    this.#freshFiles.push(id);
    const file = view.file(id);
    if (file === undefined) return;
    if (file.group !== null) this.groups.add(file.group);
    for (const other of [...file.pins, ...file.pinnedBy]) this.#addFile(other, view);
  }

  #follow(position: number): void {
    const type = this.#timeline.typeAt(position);
    const { opens } = effectOf(type);
    if (opens === 'group' || opens === 'device') {
      const view = this.#timeline.viewAt(position);
      const id = `f${position}`;
      const group = view.file(id)?.group ?? null;
      if (group !== null && this.groups.has(group)) this.#addFile(id, view);
    } else if (contextOf(type) !== null) {
      const view = this.#timeline.viewAt(position - 1);
      const { data } = this.#timeline.at(position) as unknown as { data: Lending };
      for (const fd of [data.fd, data.iommufd ?? data.container]) {
        if (fd !== undefined) this.#addFile(view.fileBehind(data.pid, fd), view);
      }
    }
  }

  /** Adds every file that a closed descriptor meant since its process started. */
  #recall(pid: number, fd: number, at: number): void {
    const start = startOf(this.#timeline, pid, at);
    for (const position of this.#timeline.positionsOf(`process ${pid}`, start, at)) {
      this.#add(position);
      const view = this.#timeline.viewAt(position);
      this.#addFile(view.fileBehind(pid, fd), view);
    }
  }
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => Math.min(least, number), Infinity);
}

/** Whether the last boot up to a position was not recorded, or not observed. */
function isBootUnseen(timeline: Timeline, position: number): boolean {
  return !isSeenBoot(timeline.at(timeline.bootBefore(position)));
}

/** Events that change no group and no file; a refused wait for a driver change ends that change. */
const inert = new Set<EventType>(['operation.refused', 'device.reset', 'device.hot-reset']);

/** Events of devices, of their drivers, and of what is known of them. */
const ofDrivers = new Set<EventType>([...plugTypes, 'gap.noticed', 'snapshot.taken']);

const refusals = new Set<EventType>(['operation.refused']);

/** Whether a call changes a driver, or waits for such a change. */
export function isDriverChange({ operation }: Attempt): boolean {
  const { makes } = rowOf(operation);
  return makes === 'driver-change' || makes === 'end-of-driver-change';
}

interface Lending {
  readonly pid: number;
  readonly fd: number;
  readonly iommufd?: number;
  readonly container?: number;
}

/** The groups that a call names, directly or by a device. */
function groupsIn(call: Attempt, view: StandingView): string[] {
  const named = 'group' in call ? view.group(call.group)?.group : undefined;
  const device = 'device' in call && typeof call.device === 'string' ? call.device : null;
  const of = device === null ? undefined : (view.device(device)?.group ?? undefined);
  return [named, of].flatMap((group) => group ?? []);
}

/** The descriptors that a call names; all of its process if the evidence does not show its own. */
function descriptorsIn(
  call: Attempt,
  view: StandingView,
): { readonly pid: number; readonly fd: number }[] {
  if (!('pid' in call) || call.pid === null) return [];
  const { pid } = call;
  const [, reopened] = 'path' in call ? (/^\/proc\/self\/fd\/(\d+)$/.exec(call.path) ?? []) : [];
  const fds = [
    ...('fd' in call ? operatedOn({ pid, fd: call.fd }, view) : []),
    'iommufd' in call ? call.iommufd : null,
    'container' in call ? call.container : null,
    reopened === undefined ? null : Number(reopened),
    ...('groups' in call ? (call.groups ?? []) : []),
  ];
  return fds.flatMap((fd) => (fd === null ? [] : [{ pid, fd }]));
}

function operatedOn({ pid, fd }: { pid: number; fd: number | null }, view: StandingView): number[] {
  return fd === null ? [...(view.process(pid)?.descriptors.keys() ?? [])] : [fd];
}

/** Position at which a process that exists at `at` started. */
function startOf(timeline: Timeline, pid: number, at: number): number {
  const boot = timeline.bootBefore(at);
  for (const position of timeline.positionsBack(`process ${pid}`, at)) {
    if (position <= boot) break;
    const type = timeline.typeAt(position);
    if (type === 'process.started') return position;
    if (type !== 'process.forked') continue;
    const { data } = timeline.at(position);
    if ('child' in data && data.child === pid) return position;
  }
  return boot + 1;
}
