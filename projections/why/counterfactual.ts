/**
 * `wouldPassAfter`: the same call is tried again after every later event.
 *
 * @module
 */
import type { Attempt } from '../../events/vocabulary.ts';
import type { Cause, ObservedCause } from '../../machines/causes.ts';
import { rowOf } from '../../operations/table.ts';
import { LiveHost } from '../../machines/live-host.ts';
import type { FileId } from '../../processes/process-table.ts';
import { Concern, isDriverChange, type ConcernScope } from './relevant-events.ts';
import type { Position } from '../shapes.ts';
import { agrees } from './slice-agreement.ts';
import { isShort, Slice } from './slice.ts';
import type { Timeline } from '../timeline.ts';

/** A refused call, with its cause and blocker by the rules. */
export interface JudgedRefusal {
  readonly position: number;
  readonly call: Attempt;
  readonly cause: ObservedCause;
  /** The file in the way. */
  readonly blocker: FileId | null;
}

/**
 * The events that decide a call that is tried again up to position `last`: all of the boot if those
 * that concern the call do not give its cause, or the host as the index has it.
 */
function sliceOf(
  timeline: Timeline,
  refused: JudgedRefusal,
  last: number,
  scope: ConcernScope = 'groups',
): Slice {
  const { position, call, blocker } = refused;
  const at = Math.min(position, last);
  if (isShort(timeline, last) || isOfHost(call) || !isNamedThere(timeline, call, at)) {
    return Slice.whole(timeline, last);
  }
  const concern = new Concern(timeline, call, { at, last, blocker, scope });
  const slice = Slice.concerned(timeline, concern, last);
  const host = new LiveHost();
  for (const event of slice.events) {
    if (event.position < position) host.take(event);
  }
  const isRight = isCauseIn(host, refused);
  return isRight && agrees(host, timeline.viewAt(position - 1), concern)
    ? slice
    : Slice.whole(timeline, last);
}

/** Whether the rules refuse a call on a host for the cause that it was refused for. */
export function isCauseIn(host: LiveHost, { call, cause }: JudgedRefusal): boolean {
  return host.judgeAs(call, cause)?.cause === cause;
}

/** Whether the device or group that a call names is on the host: another one may come later. */
function isNamedThere(timeline: Timeline, call: Attempt, at: number): boolean {
  const view = timeline.viewAt(at);
  if ('group' in call && typeof call.group === 'string') {
    return view.group(call.group) !== undefined;
  }
  if (!('device' in call) || typeof call.device !== 'string') return true;
  return (view.device(call.device)?.group ?? null) !== null;
}

/** Whether any event of the host may decide a call, and not only those of some groups and files. */
function isOfHost(call: Attempt): boolean {
  // A descriptor in a path may be opened later.
  const isByDescriptor = 'path' in call && call.path.startsWith('/proc/self/fd/');
  return isByDescriptor || rowOf(call.operation).makes === 'process' || isDriverChange(call);
}

/** The pid of a process that keeps the caller's own files open; no real process has it. */
const KEEPER = 2 ** 31;

/**
 * The first position after `position` at which the same call would pass, if the caller's own files
 * were still open. Null if it would not pass within this boot.
 *
 * It plays the events of the boot that concern the call, or the whole boot if these alone do not
 * give the recorded cause; both are slow. `why` reads the answer from the index, and asks here only
 * if the index is `unsure` (`index/passes-after.ts`).
 * Tests and `verify` compare the two.
 */
export function wouldPassAfter(timeline: Timeline, refused: JudgedRefusal): Position {
  const { position, cause } = refused;
  const end = timeline.bootAfter(position) ?? timeline.head + 1;
  let first = position;
  if (inOwnFiles.has(cause)) {
    const own = sliceOf(timeline, refused, end - 1, 'files');
    const mended = firstAfter(own, refused, (now) => now !== cause);
    if (mended === null) return null;
    first = mended;
  }
  for (let reach = REACH_MIN; ; reach *= 4) {
    const last = Math.min(first + reach, end - 1);
    const slice = sliceOf(timeline, refused, last);
    const passed = firstAfter(slice, refused, (now) => now === null);
    if (passed !== null || last >= end - 1) return passed;
  }
}

/** Causes that only events of the caller's own files, or of drivers, can remove. */
const inOwnFiles = new Set<ObservedCause>([
  'container-already-set',
  'container-empty',
  'file-already-bound',
  'iommu-already-set',
  'no-container',
  'no-iommu-driver',
  'no-such-device',
  'no-such-object',
  'not-bound-yet',
  'object-in-use',
  'opened-through-group',
  'wrong-file-kind',
]);

/** This many events are searched first: most blockers are released soon. */
const REACH_MIN = 1024;

/** Position of the first event after the attempt at which the same call would end as wanted. */
function firstAfter(
  slice: Slice,
  { position, call, cause }: JudgedRefusal,
  isWanted: (cause: Cause | null) => boolean,
): Position {
  const host = new LiveHost();
  let again: Attempt | null = null;
  for (const event of slice.events) {
    if (event.position > position) again ??= keepOwnFiles(host, position, call);
    host.take(event);
    if (again !== null && isWanted(host.judgeAs(again, cause)?.cause ?? null))
      return event.position;
  }
  return null;
}

/**
 * Passes the files of a call to the process `KEEPER`, and returns the call as that process makes
 * it.
 */
function keepOwnFiles(host: LiveHost, position: number, call: Attempt): Attempt {
  if (!('fd' in call) || call.fd === null || call.pid === null) return call;
  const { pid } = call;
  const argument = 'iommufd' in call ? call.iommufd : 'container' in call ? call.container : null;
  const given = 'groups' in call ? (call.groups ?? []) : [];
  const own = [call.fd, ...(argument === null ? [] : [argument]), ...given];
  // A closed descriptor may be opened later, but only in the caller's own process.
  if (own.some((fd) => host.processTable.file(pid, fd) === undefined)) return call;
  const started = { pid: KEEPER, comm: 'keeper', cgroup: null };
  host.take({ type: 'process.started', data: started, position });
  for (const fd of own) {
    host.take({ type: 'descriptor.passed', data: { pid, fd, to: KEEPER, as: fd }, position });
  }
  return { ...call, pid: KEEPER };
}
