/**
 * What an attempt has to do with: a group since it was last not in use, and the files that were open
 * of it, lent it a context, or were lent one together with it.
 *
 * @module
 */
import type { Attempt, EventType } from '../../events/vocabulary.ts';
import { contextOf } from '../../operations/table.ts';
import { effectOf } from '../../processes/effects.ts';
import { positionOf, type FileId } from '../../processes/process-table.ts';
import type { StandingView } from '../index/view.ts';
import type { Timeline } from '../timeline.ts';

/** Everything about the groups and files that decide, or the files alone that the call is made on. */
export type ConcernScope = 'groups' | 'files';

/** When a call is made, and until when it is tried again. */
interface Retry {
  readonly at: number;
  readonly last: number;
  /** The file that stands in the way. */
  readonly blocker: FileId | null;
  readonly scope: ConcernScope;
}

export class Concern {
  /** Positions of the events that have to do with it. */
  readonly positions = new Set<number>();
  /** Groups whose devices have to be there. */
  readonly groups = new Set<string>();
  /** Files that have a part in it. */
  readonly files = new Set<FileId>();
  readonly #timeline: Timeline;
  readonly #last: number;

  constructor(timeline: Timeline, call: Attempt, { at, last, blocker, scope }: Retry) {
    this.#timeline = timeline;
    this.#last = last;
    const view = timeline.viewAt(at);
    const named = descriptorsIn(call, view);
    const missing = named.filter(({ pid, fd }) => view.fileBehind(pid, fd) === undefined);
    for (const { pid, fd } of named) this.#addFile(view.fileBehind(pid, fd), view);
    this.#addFile(blocker, view);
    for (const group of [...groupsIn(call, view), ...this.groups]) {
      this.groups.add(group);
      if (scope === 'files') continue;
      const since = view.busySince(group) ?? at + 1;
      this.#addAll(timeline.positionsOf(`group ${group}`, since, last));
    }
    for (const { pid, fd } of missing) this.#recall(pid, fd, at);
    this.#close();
  }

  /** Follows every event to what it brings in, until there is nothing new. */
  #close(): void {
    const followed = new Set<number>();
    const files = new Set<FileId>();
    for (let isNew = true; isNew;) {
      for (const file of this.files) {
        if (files.has(file)) continue;
        files.add(file);
        this.#addAll(this.#timeline.positionsOf(`file ${file}`, positionOf(file), this.#last));
      }
      const fresh = [...this.positions].filter((position) => !followed.has(position));
      for (const position of fresh.toSorted((a, b) => a - b)) {
        followed.add(position);
        this.#follow(position);
      }
      isNew = this.files.size > files.size;
    }
  }

  #addAll(positions: Iterable<number>): void {
    for (const position of positions) {
      if (!inert.has(this.#timeline.typeAt(position))) this.positions.add(position);
    }
  }

  /** A file, with what it keeps alive and what keeps it. */
  #addFile(id: FileId | null | undefined, view: StandingView): void {
    if (id == null || this.files.has(id)) return;
    this.files.add(id);
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

  /** What a number stood for that stands for nothing any more, as long as the process lives. */
  #recall(pid: number, fd: number, at: number): void {
    const start = startOf(this.#timeline, pid, at);
    for (const position of this.#timeline.positionsOf(`process ${pid}`, start, at)) {
      this.positions.add(position);
      const view = this.#timeline.viewAt(position);
      this.#addFile(view.fileBehind(pid, fd), view);
    }
  }
}

/** Events that leave everything as it was. */
const inert = new Set<EventType>(['operation.refused', 'device.reset', 'device.hot-reset']);

interface Lending {
  readonly pid: number;
  readonly fd: number;
  readonly iommufd?: number;
  readonly container?: number;
}

/** The groups that a call names, itself or by a device. */
function groupsIn(call: Attempt, view: StandingView): string[] {
  const named = 'group' in call ? view.group(call.group)?.group : undefined;
  const device = 'device' in call && typeof call.device === 'string' ? call.device : null;
  const of = device === null ? undefined : (view.device(device)?.group ?? undefined);
  return [named, of].flatMap((group) => group ?? []);
}

/** The descriptors that a call names; where it is not shown what it was made on, any of its process. */
function descriptorsIn(
  call: Attempt,
  view: StandingView,
): { readonly pid: number; readonly fd: number }[] {
  if (!('pid' in call)) return [];
  const { pid } = call;
  const [, reopened] = 'path' in call ? (/^\/proc\/self\/fd\/(\d+)$/.exec(call.path) ?? []) : [];
  const fds = [
    ...('fd' in call ? operatedOn(call, view) : []),
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

/** Where a process that lives at a position has begun. */
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
