/**
 * `wouldPassAfter`: the same call is tried again after every later event.
 *
 * @module
 */
import type { Attempt, Fact, Placed } from '../../events/vocabulary.ts';
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

/** How a history goes on from an attempt. */
interface Onwards {
  /** The host right before the attempt. */
  readonly host: LiveHost;
  /** The events from the attempt on that may decide, ascending. */
  readonly events: Iterable<Placed<Fact>>;
}

/**
 * How the history goes on for a refused call, up to position `last`: by the events that concern the
 * call, if these give its cause and the host as the index has it; else by all events.
 */
function onwards(
  timeline: Timeline,
  refused: JudgedRefusal,
  last: number,
  scopes: readonly ConcernScope[] = ['groups', 'waits'],
): Onwards {
  const { position, call, blocker } = refused;
  const isSliced =
    !isShort(timeline, last) && !isOfHost(call) && isNamedThere(timeline, call, position);
  for (const scope of isSliced ? scopes : []) {
    const concern = new Concern(timeline, call, { at: position, last, blocker, scope });
    const { events } = Slice.concerned(timeline, concern, last);
    const before = events.filter((event) => event.position < position);
    const host = new LiveHost();
    for (const event of before) host.take(event);
    const isRight = isCauseIn(host, refused);
    if (isRight && agrees(host, timeline.viewAt(position - 1), concern)) {
      return { host, events: events.slice(before.length) };
    }
  }
  return { host: timeline.playedAt(position - 1), events: timeline.between(position, last) };
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
 * It plays the later events that concern the call, or all of them if these do not give the recorded
 * cause; both are slow. `why` reads the answer from the index, and asks here only
 * if the index is `unsure` (`index/passes-after.ts`).
 * Tests and `verify` compare the two.
 */
export function wouldPassAfter(timeline: Timeline, refused: JudgedRefusal): Position {
  const { position, cause } = refused;
  const end = timeline.bootAfter(position) ?? timeline.head + 1;
  let first = position;
  if (inOwnFiles.has(cause)) {
    const own = onwards(timeline, refused, end - 1, ['files']);
    const mended = firstAfter(own, refused, (now) => now !== cause);
    if (mended === null) return null;
    first = mended;
  }
  for (let reach = REACH_MIN; ; reach *= 4) {
    const last = Math.min(first + reach, end - 1);
    const passed = firstAfter(onwards(timeline, refused, last), refused, (now) => now === null);
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
  { host, events }: Onwards,
  { position, call, cause }: JudgedRefusal,
  isWanted: (cause: Cause | null) => boolean,
): Position {
  let again: Attempt | null = null;
  for (const event of events) {
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
