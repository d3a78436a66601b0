/**
 * Finds what processes did with VFIO files between two moments, and which files they did not
 * release.
 *
 * @module
 */
import { certaintyOf } from '../events/evidence.ts';
import { eventTypes, type DataOf, type EventType, type Placed } from '../events/vocabulary.ts';
import type { FileAt, HostAt } from '../machines/host-at.ts';
import { effectOf } from '../processes/effects.ts';
import { fileOpenedBy } from '../processes/process-table.ts';
import type {
  Activity,
  BoundFile,
  FileOf,
  Leak,
  Opening,
  OwnedGroup,
  RefusedCall,
} from './activity.ts';
import { ProcessNames } from './process-name.ts';
import { releasesOf } from './releases.ts';
import { placeOf } from './why/candidates.ts';
import { causeAt } from './why/refusals.ts';
import { timed } from './timed.ts';
import type { Timeline } from './timeline.ts';
import { byNumber, fileView, keptBy, ownerOf, pidShown } from './views.ts';
import { positionOrNull } from './when.ts';

const bindings: Partial<Record<EventType, BoundFile['operation']>> = {
  'device.bound': 'bind',
  'device.attached': 'attach',
  'container.set': 'set_container',
};

/** `Activity` without causes in a sentence. */
export type FoundActivity = Omit<Activity, 'refused'> & {
  readonly refused: readonly LoggedRefusal[];
};

type LoggedRefusal = Omit<RefusedCall, 'summary'>;

/**
 * What processes did after `from`, up to `to`; each list is in the order of the log. `by` are pids;
 * null means all processes, including those whose pid the evidence does not show. A reused pid
 * means each process that had it.
 *
 * If older events were removed, the host is unknown until its first boot. Until then only refusals
 * are listed.
 */
export function activityBetween(
  timeline: Timeline,
  from: number,
  to: number,
  by: ReadonlySet<number> | null,
): FoundActivity {
  const openings: Opening[] = [];
  const bound: BoundFile[] = [];
  const refused: LoggedRefusal[] = [];
  const names = new ProcessNames(timeline);
  const first = Math.max(from + 1, timeline.first);
  for (const event of timeline.select(first, to, null, listed)) {
    names.take(event);
    const call = callOf(event, names, by);
    if (call === null) continue;
    const opening = openingBy(timeline, call);
    if (opening !== null) openings.push(opening);
    bound.push(...boundBy(timeline, call));
    refused.push(...refusedBy(timeline, call));
  }
  const released = releasesOf(timeline, openings, to);
  return timed(timeline, {
    from: positionOrNull(from),
    to: positionOrNull(to),
    opened: openings.map((one) => ({ ...one, released: released.get(one.file) ?? null })),
    bound,
    refused,
    ...leaksAt(
      timeline.hostAt(to),
      openings.filter(({ file }) => !released.has(file)),
    ),
  });
}

interface LoggedCall {
  readonly event: Placed;
  /** Null: the evidence does not show it. */
  readonly pid: number | null;
  readonly fd: number | null;
  readonly caller: Pick<Opening, 'position' | 'time' | 'pid' | 'comm'>;
}

/** Types of events that open a VFIO file, bind, are refusals, or name a process. */
const listed: ReadonlySet<EventType> = new Set(
  eventTypes.filter((type) => {
    const { opens, names } = effectOf(type);
    const isOpen = opens !== null && opens !== 'path';
    const isNaming = names !== null || type === 'host.booted';
    return isOpen || isNaming || type === 'operation.refused' || bindings[type] !== undefined;
  }),
);

/** The call of an event; null if it is none, or if none of the processes made it. */
function callOf(
  event: Placed,
  names: ProcessNames,
  by: ReadonlySet<number> | null,
): LoggedCall | null {
  const { type, data, time, position } = event;
  if (effectOf(type).names !== null || !('pid' in data)) return null;
  const { pid } = data;
  if (by !== null && (pid === null || !by.has(pid))) return null;
  const fd = 'as' in data ? data.as : 'fd' in data ? data.fd : null;
  const shownComm = 'comm' in data ? (data.comm ?? null) : null;
  const comm = pid === null ? shownComm : names.of(pid, position);
  const caller = { position, time, pid: pid === null ? null : pidShown(pid), comm };
  return { event, pid, fd, caller };
}

function openingBy(timeline: Timeline, { event, fd, caller }: LoggedCall): Opening | null {
  const id = fileOpenedBy(event);
  if (id === null) return null;
  const subject = subjectOf(timeline.hostAt(event.position).file(id));
  if (subject === null) return null;
  return {
    file: id,
    ...subject,
    ...caller,
    fd: shown(fd),
    isSeen: certaintyOf(event) === 'observed',
  };
}

function boundBy(timeline: Timeline, { event, pid, fd, caller }: LoggedCall): BoundFile[] {
  const operation = bindings[event.type];
  if (operation === undefined || pid === null || fd === null) return [];
  const host = timeline.hostAt(event.position);
  const subject = subjectOf(host.file(host.fileBehind(pid, fd) ?? ''));
  return subject === null ? [] : [{ operation, ...subject, fd: shown(fd), ...caller }];
}

function refusedBy(timeline: Timeline, { event, caller }: LoggedCall): LoggedRefusal[] {
  if (event.type !== 'operation.refused') return [];
  const { data, position } = event;
  const { operation, errno } = data;
  const { cause } = causeAt(timeline, position);
  const { group, device } = placeOf(timeline, position, data);
  const cdev = timeline.hostAt(position - 1).device(device ?? '')?.cdev ?? null;
  const path = pathOpenedBy(data, { group, cdev });
  return [{ operation, errno, cause, group, device, path, ...caller }];
}

/** The path that a refused call was to open; null if it opens none, or none that is known. */
function pathOpenedBy(
  data: DataOf<'operation.refused'>,
  { group, cdev }: { readonly group: string | null; readonly cdev: string | null },
): string | null {
  if (data.operation === 'open_path') return data.path;
  if (data.operation === 'open_cdev') return cdev === null ? null : `/dev/vfio/devices/${cdev}`;
  return data.operation === 'open_group' && group !== null ? `/dev/vfio/${group}` : null;
}

/** The leaks among the opened files, and what they hold and own. */
function leaksAt(
  host: HostAt,
  openings: readonly Opening[],
): Pick<Activity, 'held' | 'owned' | 'leaks'> {
  const groups = [...host.groups()]
    .map((group): OwnedGroup => ({ group: group.group, owner: ownerOf(host, group) }))
    .toSorted((a, b) => byNumber(a.group, b.group));
  const ownedBy = Map.groupBy(groups, ({ owner }) => owner.file);
  const leaks = openings.map((opening): Leak => {
    const file = host.file(opening.file);
    const holders = (file && fileView(host, file)?.holders) ?? [];
    const kept = [...keptBy(host, [opening.file])];
    const owned = kept.flatMap((id) => ownedBy.get(id) ?? []).map(({ group }) => group);
    return { ...opening, holders, keepsOwnerOf: owned.toSorted(byNumber) };
  });
  const kept = new Set(leaks.flatMap(({ keepsOwnerOf }) => keepsOwnerOf));
  return {
    held: leaks.flatMap(({ kind, device, group, holders }) =>
      holders
        .filter(({ via }) => via !== 'kernel')
        .map((holder) => ({ ...holder, kind, device, group })),
    ),
    owned: groups.filter(({ group, owner }) => owner.kind === 'unknown' || kept.has(group)),
    leaks,
  };
}

function subjectOf(file: FileAt | undefined): FileOf | null {
  if (file === undefined || file.kind === 'other') return null;
  const { kind, device, group } = file;
  return { kind, device, group };
}

/**
 * A descriptor as answers show it: a number below 0 stands for one that the evidence does not show.
 */
function shown(fd: number | null): number | null {
  return fd === null || fd < 0 ? null : fd;
}
