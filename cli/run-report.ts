/**
 * What a command did with files of VFIO, and what of it was not given back.
 *
 * @module
 */
import type { EventType } from '../events/vocabulary.ts';
import type { Holder, Ledger, Owner, RecordedEvent } from '../ledger.ts';
import type { FileAt, Opened } from '../machines/host-at.ts';
import { fileOpenedBy, type FileId } from '../processes/process-table.ts';
import type { Ending, LeftBehind } from './command.ts';

/** A moment of the log. */
interface At {
  readonly position: number;
  readonly time: string | null;
}

/** What a file of VFIO's is of. */
interface Subject extends Opened {
  readonly kind: Exclude<Opened['kind'], 'other'>;
}

interface Doer {
  readonly pid: number;
  readonly comm: string | null;
}

interface OpenedFile extends At, Doer, Subject {
  readonly file: FileId;
  readonly fd: number;
  /** False where it was open already, and the command got it. */
  readonly isSeen: boolean;
  /** When nobody had it any more, nor the kernel; null where that has not come. */
  readonly released: At | null;
}

/** A call by which a group gets an owner, or a device its page table. */
interface BoundFile extends At, Doer, Subject {
  readonly operation: 'bind' | 'attach' | 'set_container';
  readonly fd: number;
}

interface RefusedCall extends At, Doer {
  readonly operation: string;
  readonly errno: string;
  readonly cause: string;
  readonly summary: string;
}

/** Somebody who holds a file still. */
interface Held extends Holder, Subject {}

export interface RunReport {
  readonly command: readonly string[];
  readonly exit: Ending;
  /** Where it was recorded; null where it is kept nowhere. */
  readonly log: string | null;
  readonly opened: readonly OpenedFile[];
  readonly bound: readonly BoundFile[];
  readonly refused: readonly RefusedCall[];
  readonly held: readonly Held[];
  /** The groups that are owned through what is held. */
  readonly owned: readonly { readonly group: string; readonly owner: Owner }[];
  /** Processes that it started and that were there when it had ended. */
  readonly left: readonly LeftBehind[];
  /** Lines of the trace, and how many of them nobody could read. */
  readonly read: number;
  readonly rejectedCount: number;
}

type Seen = Pick<RunReport, 'command' | 'exit' | 'log' | 'left' | 'read' | 'rejectedCount'>;

const bindings: Partial<Record<EventType, BoundFile['operation']>> = {
  'device.bound': 'bind',
  'device.attached': 'attach',
  'container.set': 'set_container',
};

/** Of what was appended after a position, and done by processes that it is about. */
export function reportOn(
  ledger: Ledger,
  after: number,
  seen: Seen,
  isTheirs: (pid: number) => boolean = () => true,
): RunReport {
  const opened = new Map<FileId, OpenedFile>();
  const alive = new Set<FileId>();
  const bound: BoundFile[] = [];
  const refused: RefusedCall[] = [];
  for (let position = after + 1; position <= ledger.head.position; position++) {
    const event = ledger.event(position);
    if (event === undefined) continue;
    const { time } = event;
    const id = fileOpenedBy(event);
    const file = id === null ? undefined : ledger.hostAt(position).file(id);
    const byThem = 'pid' in event.data && event.data.pid !== null && isTheirs(event.data.pid);
    if (file !== undefined && byThem) {
      const one = openedBy(event, file, ledger);
      if (one !== null) alive.add(one.file);
      if (one !== null) opened.set(one.file, one);
    }
    const operation = byThem ? bindings[event.type] : undefined;
    if (operation !== undefined) bound.push(...boundBy(event, operation, ledger));
    if (event.type === 'operation.refused' && byThem) refused.push(...refusedBy(event, ledger));
    const host = alive.size === 0 ? null : ledger.hostAt(position);
    for (const id of alive) {
      const one = opened.get(id);
      if (host?.file(id) !== undefined || one === undefined) continue;
      alive.delete(id);
      opened.set(id, { ...one, released: { position, time } });
    }
  }
  const { files, groups } = ledger.at('end').table();
  const held = files.flatMap(({ file, holders }) => {
    const one = alive.has(file) ? opened.get(file) : undefined;
    if (one === undefined) return [];
    const { kind, device, group } = one;
    return holders.flatMap((holder) =>
      holder.via === 'kernel' ? [] : [{ ...holder, kind, device, group }],
    );
  });
  const owned = groups.flatMap(({ group, owner }) => {
    const isTheirs = owner.file !== null && alive.has(owner.file);
    return isTheirs ? [{ group, owner }] : [];
  });
  return { ...seen, opened: [...opened.values()], bound, refused, held, owned };
}

function openedBy(event: RecordedEvent, file: FileAt, ledger: Ledger): OpenedFile | null {
  const subject = subjectOf(file);
  const { data } = event;
  if (subject === null || !('pid' in data) || !('fd' in data)) return null;
  return {
    file: file.id,
    ...subject,
    ...placeOf(event),
    ...doerOf(data.pid, event, ledger),
    fd: 'as' in data ? data.as : data.fd,
    isSeen: data.evidence === undefined || data.evidence.certainty === 'observed',
    released: null,
  };
}

function boundBy(
  event: RecordedEvent,
  operation: BoundFile['operation'],
  ledger: Ledger,
): BoundFile[] {
  const { data } = event;
  if (!('pid' in data) || !('fd' in data)) return [];
  const { pid, fd } = data;
  const host = ledger.hostAt(event.position);
  const file = host.file(host.fileBehind(pid, fd) ?? '');
  const subject = file === undefined ? null : subjectOf(file);
  if (subject === null) return [];
  return [{ operation, ...subject, fd, ...placeOf(event), ...doerOf(pid, event, ledger) }];
}

function refusedBy(event: RecordedEvent, ledger: Ledger): RefusedCall[] {
  const { data } = event;
  if (event.type !== 'operation.refused' || !('pid' in data)) return [];
  const { operation, errno, cause, summary } = ledger.why(event.position);
  const by = doerOf(data.pid, event, ledger);
  return [{ operation, errno, cause, summary, ...placeOf(event), ...by }];
}

function placeOf({ position, time }: RecordedEvent): At {
  return { position, time };
}

function doerOf(pid: number, { position }: RecordedEvent, ledger: Ledger): Doer {
  return { pid, comm: ledger.commOf(pid, position) };
}

function subjectOf({ kind, device, group }: FileAt): Subject | null {
  return kind === 'other' ? null : { kind, device, group };
}
