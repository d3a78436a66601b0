/**
 * Counterfactuals of a refusal: plays the history without some events, and the attempt again after
 * later events.
 *
 * @module
 */
import type { Attempt, Fact, Placed } from '../../events/vocabulary.ts';
import type { Cause, ObservedCause } from '../../machines/causes.ts';
import { kindOfDriver } from '../../operations/driver.ts';
import { rowOf } from '../../operations/table.ts';
import { LiveHost } from '../../machines/live-host.ts';
import type { FileId } from '../../processes/process-table.ts';
import { Concern, type ConcernScope } from './relevant-events.ts';
import type { Position } from '../shapes.ts';
import { takeIfPossible } from './possible.ts';
import { Slice } from './slice.ts';
import { keyOf, type SubjectKey } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';

/** At most this many events are left out together. */
const EVENTS_MAX = 8;
/** Pairs are tried only among the latest 32 candidates, in a boot of at most 512 events. */
const PAIRS_AMONG_MAX = 32;
const PAIRS_WITHIN_MAX = 512;

/**
 * The fewest positions, ascending, without which the attempt at `position` would have passed: the
 * latest single event that decides, else the fewest events that decide together. Empty if no such
 * events are found: then something is missing that the call needs.
 */
export function becauseOf(timeline: Timeline, refused: JudgedRefusal): number[] {
  const { position } = refused;
  const slice = sliceOf(timeline, refused, position - 1);
  return searched({ timeline, ...refused, slice }) ?? [];
}

/** A refused call, with its cause and blocker by the rules. */
export interface JudgedRefusal {
  readonly position: number;
  readonly call: Attempt;
  readonly cause: ObservedCause;
  /** The file in the way. */
  readonly blocker: FileId | null;
}

/** A boot of fewer events is played whole: finding out which events matter would cost more. */
const SHORT = 256;

/** The events that decide a call that is tried again up to position `last`. */
function sliceOf(
  timeline: Timeline,
  refused: JudgedRefusal,
  last: number,
  scope: ConcernScope = 'groups',
): Slice {
  const isShort = last - timeline.bootBefore(last) < SHORT;
  if (isShort || isOfHost(refused.call)) return Slice.whole(timeline, last);
  const { position, call, blocker } = refused;
  const at = Math.min(position, last);
  return Slice.concerned(timeline, new Concern(timeline, call, { at, last, blocker, scope }), last);
}

function searched(search: Search): number[] | null {
  const candidates = candidatesOf(search);
  const single = candidates.find((candidate) => passesWithout(search, new Set([candidate])));
  if (single !== undefined) return [single];
  return sideBySide(search, candidates) ?? pairOf(search, candidates);
}

/** A refused call, and the events that may decide it. */
interface Search extends JudgedRefusal {
  readonly timeline: Timeline;
  readonly slice: Slice;
}

/** Whether any event of the host may decide a call, and not only those of some groups and files. */
function isOfHost(call: Attempt): boolean {
  return rowOf(call.operation).makes === 'process' || isDriverChange(call);
}

/** Searches events that block one after the other, such as two kernel drivers of a group. */
function sideBySide(search: Search, candidates: readonly number[]): number[] | null {
  const out = new Set<number>();
  while (out.size < EVENTS_MAX) {
    const before = obstacle(search, out);
    const next = candidates.find(
      (candidate) =>
        !out.has(candidate) && isFurther(obstacle(search, new Set([...out, candidate])), before),
    );
    if (next === undefined) return null;
    out.add(next);
    if (passesWithout(search, out)) return fewest(search, out);
  }
  return null;
}

function pairOf(search: Search, candidates: readonly number[]): number[] | null {
  const { timeline, position } = search;
  if (position - timeline.bootBefore(position) > PAIRS_WITHIN_MAX) return null;
  const latest = candidates.slice(0, PAIRS_AMONG_MAX);
  for (const [index, first] of latest.entries()) {
    for (const second of latest.slice(index + 1)) {
      if (passesWithout(search, new Set([first, second]))) return [second, first];
    }
  }
  return null;
}

function fewest(search: Search, out: Set<number>): number[] {
  for (const spare of out) {
    const fewer = new Set([...out].filter((other) => other !== spare));
    if (passesWithout(search, fewer)) out.delete(spare);
  }
  return [...out].toSorted((a, b) => a - b);
}

/** What blocks a call. */
interface Obstacle {
  /** Number of checks that it passes before one fails. */
  readonly checks: number;
  /** The blocker at that check, as text to compare. */
  readonly who: string;
}

function obstacle({ call, cause, slice }: Search, out: ReadonlySet<number>): Obstacle {
  const host = slice.without(out);
  const refusal = host.judgeAs(call, cause);
  const { checks } = host.rules.operations[call.operation];
  if (refusal === null) return { checks: checks.length, who: '' };
  const { group } = host.concerned(call);
  const claims = group === null ? 0 : (host.group(group)?.claims ?? 0);
  return {
    checks: checks.findIndex(({ name }) => name === refusal.check),
    who: `${JSON.stringify(refusal.blocker)} ${claims}`,
  };
}

/** Whether the attempt passes more checks than before, or has another blocker. */
function isFurther(now: Obstacle, before: Obstacle): boolean {
  return now.checks > before.checks || (now.checks === before.checks && now.who !== before.who);
}

function passesWithout({ slice, call, cause }: Search, out: ReadonlySet<number>): boolean {
  return slice.without(out).judgeAs(call, cause) === null;
}

/** Positions of events that may have caused a refusal, the latest first. */
function candidatesOf({ timeline, position, call, cause, slice }: Search): number[] {
  const host = slice.without(new Set());
  const asked = host.concerned(call);
  const { file, argument } = asked;
  const subjects = new Set<SubjectKey>();
  // A call on a dead group file concerns the group that the file was opened for.
  const opened = file === null ? undefined : host.file(file);
  const own = opened?.kind === 'group' ? opened.group : null;
  const group = asked.group ?? host.device(asked.device ?? '')?.group ?? own;
  if (group !== null) subjects.add(keyOf({ kind: 'group', id: group }));
  // Other events of the process matter only if a descriptor of the call is closed.
  const isMissing = ('iommufd' in call || 'container' in call) && argument === null;
  const closed = 'fd' in call && (file === null || isMissing);
  if (closed) subjects.add(keyOf({ kind: 'process', id: String(call.pid) }));
  for (const member of host.devices()) {
    if (group !== null && member.group === group) subjects.add(`device ${member.device}`);
  }
  const changing = host.driverChange?.device;
  if (changing !== undefined && isDriverChange(call)) subjects.add(`device ${changing}`);
  const blocker = host.judgeAs(call, cause)?.blocker?.file ?? null;
  for (const id of [file, argument, blocker]) if (id !== null) addKeepers(subjects, host, id);
  const since = slice.events[0]?.position ?? position;
  const concerned = new Set(
    [...subjects].flatMap((key) => [...timeline.positionsOf(key, since, position - 1)]),
  );
  return slice.events
    .filter((event) => concerned.has(event.position) && isDeed(event))
    .map((event) => event.position)
    .toReversed();
}

function isDriverChange({ operation }: Attempt): boolean {
  const { makes } = rowOf(operation);
  return makes === 'driver-change' || makes === 'end-of-driver-change';
}

/**
 * Whether an event may be a cause: not a boot or a refusal, nor a new device without a kernel
 * driver.
 */
function isDeed(event: Placed<Fact>): boolean {
  if (event.type === 'operation.refused' || event.type === 'host.booted') return false;
  if (event.type !== 'device.added') return true;
  return event.data.driver !== null && kindOfDriver(event.data.driver) === 'kernel';
}

/** Adds an open file, with the files that it keeps alive and those that keep it alive. */
function addKeepers(subjects: Set<SubjectKey>, host: LiveHost, id: FileId): void {
  const file = host.file(id);
  const key = keyOf({ kind: 'file', id });
  if (file === undefined || subjects.has(key)) return;
  subjects.add(key);
  for (const other of [...file.pinnedBy, ...file.pins]) addKeepers(subjects, host, other);
}

/** The pid of a process that keeps the caller's own files open; no real process has it. */
const KEEPER = 2 ** 31;

/**
 * The first position after `position` at which the same call would pass, if the caller's own files
 * were still open. Null if it would not pass within this boot.
 *
 * It plays the events of the boot that concern the call, which is exact and slow. `why` reads the
 * answer from the index, and asks here only if the index is `unsure` (`index/passes-after.ts`).
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
    takeInSlice(host, event, slice);
    if (again !== null && isWanted(host.judgeAs(again, cause)?.cause ?? null))
      return event.position;
  }
  return null;
}

/**
 * Plays an event of a slice. An unbind that waits for a file which is not in the slice goes on at
 * once: else the driver would be bound twice.
 */
function takeInSlice(host: LiveHost, event: Placed<Fact>, { isWhole }: Slice): void {
  if (event.type === 'driver.unbind-blocked' && !isWhole) takeIfPossible(host, event);
  else host.take(event);
}

/**
 * Passes the files of a call to the process `KEEPER`, and returns the call as that process makes
 * it.
 */
function keepOwnFiles(host: LiveHost, position: number, call: Attempt): Attempt {
  if (!('fd' in call) || call.fd === null) return call;
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
