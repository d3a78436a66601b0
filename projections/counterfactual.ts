/**
 * What made a refusal, and what would have let it through: the past with an event left out, and the
 * future with the attempt made again.
 *
 * @module
 */
import type { Call, Fact, Placed } from '../events/vocabulary.ts';
import { callOf } from '../machines/calls.ts';
import type { Question } from '../machines/check.ts';
import { kindOfDriver } from '../machines/driver.ts';
import { Kernel } from '../machines/kernel.ts';
import type { OpenFile } from '../machines/host.ts';
import type { Position } from './shapes.ts';
import { keyOf, type SubjectKey } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/** More events than this are never left out together in search of a cause. */
const EVENTS_MAX = 8;
/** Pairs are only tried among so many of the latest candidates, in a boot of so many events. */
const PAIRS_AMONG_MAX = 32;
const PAIRS_WITHIN_MAX = 512;

/**
 * The fewest positions without any one of which the attempt at `position` would have passed; the
 * latest of them where several would do. Where no single event decides, the fewest that do so
 * together. Empty where no event made the refusal: then it lacks something.
 */
export function becauseOf(timeline: Timeline, position: number, call: Call): number[] {
  const attempt = { timeline, position, call };
  const candidates = candidatesOf(attempt);
  const single = candidates.find((candidate) => passesWithout(attempt, new Set([candidate])));
  if (single !== undefined) return [single];
  return sideBySide(attempt, candidates) ?? pairOf(attempt, candidates) ?? [];
}

/** A refused call, where it stands. */
interface Attempt {
  readonly timeline: Timeline;
  readonly position: number;
  readonly call: Call;
}

/** Events that stand in the way one behind the other, such as two kernel drivers in a group. */
function sideBySide(attempt: Attempt, candidates: readonly number[]): number[] | null {
  const out = new Set<number>();
  while (out.size < EVENTS_MAX) {
    const before = obstacle(attempt, out);
    const next = candidates.find(
      (candidate) =>
        !out.has(candidate) && isFurther(obstacle(attempt, new Set([...out, candidate])), before),
    );
    if (next === undefined) return null;
    out.add(next);
    if (passesWithout(attempt, out)) return fewest(attempt, out);
  }
  return null;
}

function pairOf(attempt: Attempt, candidates: readonly number[]): number[] | null {
  const { timeline, position } = attempt;
  if (position - timeline.bootBefore(position) > PAIRS_WITHIN_MAX) return null;
  const latest = candidates.slice(0, PAIRS_AMONG_MAX);
  for (const [index, first] of latest.entries()) {
    for (const second of latest.slice(index + 1)) {
      if (passesWithout(attempt, new Set([first, second]))) return [second, first];
    }
  }
  return null;
}

function fewest(attempt: Attempt, out: Set<number>): number[] {
  for (const spare of out) {
    const fewer = new Set([...out].filter((other) => other !== spare));
    if (passesWithout(attempt, fewer)) out.delete(spare);
  }
  return [...out].toSorted((a, b) => a - b);
}

/** What stands in the way: how far the checks get, and who it is there. */
interface Obstacle {
  readonly checks: number;
  readonly who: string;
}

function obstacle({ timeline, position, call }: Attempt, out: ReadonlySet<number>): Obstacle {
  const kernel = without(timeline, position, out);
  const refusal = kernel.judge(call);
  const { checks } = kernel.rules.operations[call.operation];
  if (refusal === null) return { checks: checks.length, who: '' };
  const claims = kernel.question(call).group?.record.claims ?? 0;
  return {
    checks: checks.findIndex(({ name }) => name === refusal.check),
    who: `${JSON.stringify(refusal.blocker)} ${claims}`,
  };
}

/** Whether leaving something out got the attempt further, or somebody out of its way. */
function isFurther(now: Obstacle, before: Obstacle): boolean {
  return now.checks > before.checks || (now.checks === before.checks && now.who !== before.who);
}

function passesWithout({ timeline, position, call }: Attempt, out: ReadonlySet<number>): boolean {
  return without(timeline, position, out).judge(call) === null;
}

/** The host just before a position, had some events not happened, nor what they alone made possible. */
function without(timeline: Timeline, position: number, out: ReadonlySet<number>): Kernel {
  const kernel = new Kernel();
  for (const event of timeline.between(timeline.bootBefore(position), position - 1)) {
    if (!out.has(event.position)) takeIfPossible(kernel, event);
  }
  return kernel;
}

/** Has the host take an event, unless it could not have happened on it. */
function takeIfPossible(kernel: Kernel, event: Placed<Fact>): void {
  if (event.type === 'operation.refused') return;
  const called = callOf(event);
  if (called !== null) {
    if (kernel.judge(called.call) === null) kernel.take(event);
    return;
  }
  const { position } = event;
  if (event.type === 'driver.unbind-blocked') {
    const { device, driver, next } = event.data;
    const held = (kernel.device(device)?.record.files ?? 0) > 0;
    if (held) return kernel.take(event);
    // Nothing holds it back any more: it would have gone through at once.
    kernel.take({ type: 'driver.unbound', data: { device, driver }, position });
    if (next === null) return;
    takeIfPossible(kernel, {
      type: 'driver.bound',
      data: { device, driver: next, cdev: kernel.nextCdev(next) },
      position,
    });
    return;
  }
  if (event.type === 'driver.bound') {
    const { device, driver } = event.data;
    if (kernel.judge({ operation: 'set_driver', device, driver })?.errno === 'EBUSY') return;
    if (kernel.device(device)?.driver !== null) return;
  }
  kernel.take(event);
}

/** Events that may have a part in a refusal, the latest first. */
function candidatesOf({ timeline, position, call }: Attempt): number[] {
  const host = timeline.kernelAt(position - 1);
  const question = host.question(call);
  const subjects = new Set<SubjectKey>();
  // A dead group file asks about the group that it was opened for.
  const opened = question.file?.kind === 'group' ? question.file.group : null;
  const group = question.group ?? question.device?.group ?? opened ?? undefined;
  if (group !== undefined) subjects.add(keyOf({ kind: 'group', id: group.group }));
  // What a process did to its other files has no part in it, unless a number stands for nothing.
  const closed = 'fd' in call && (question.file === undefined || isMissing(question));
  if (closed) subjects.add(keyOf({ kind: 'process', id: String(call.pid) }));
  for (const device of group?.devices.keys() ?? []) subjects.add(`device ${device}`);
  const changing = host.driverChange?.device.device;
  if (changing !== undefined && isDriverChange(call)) subjects.add(`device ${changing}`);
  const blocker = host.judge(call)?.blocker?.file ?? null;
  const files = [
    question.file,
    question.argument,
    blocker === null ? undefined : host.file(blocker),
  ];
  for (const file of files) if (file !== undefined) addKeepers(subjects, host, file);
  const boot = timeline.bootBefore(position);
  const positions = [...subjects].flatMap((key) =>
    [...timeline.positionsOf(key, boot + 1, position - 1)].filter((at) => isDeed(timeline.at(at))),
  );
  return [...new Set(positions)].toSorted((a, b) => b - a);
}

/** Whether the call names a second descriptor that is not open. */
function isMissing({ call, argument }: Question): boolean {
  return ('iommufd' in call || 'container' in call) && argument === undefined;
}

function isDriverChange({ operation }: Call): boolean {
  return operation === 'set_driver' || operation === 'bg_wait';
}

/** That a device is there is nobody's doing, unless it came with a kernel driver. */
function isDeed(event: Placed<Fact>): boolean {
  if (event.type !== 'device.added') return true;
  return event.data.driver !== null && kindOfDriver(event.data.driver) === 'kernel';
}

function addKeepers(subjects: Set<SubjectKey>, host: Kernel, file: OpenFile): void {
  const key = keyOf({ kind: 'file', id: file.id });
  if (subjects.has(key)) return;
  subjects.add(key);
  for (const id of [...file.pinnedBy, ...file.pins]) {
    const other = host.file(id);
    if (other !== undefined) addKeepers(subjects, host, other);
  }
}

/** A process that nobody else is, to keep the caller's own files open. */
const KEEPER = 2 ** 31;

/**
 * The first position after `position` at which the same call would pass, its own files taken as
 * still open. Null where it never would, as far as this boot goes.
 */
export function wouldPassAfter(timeline: Timeline, position: number, call: Call): Position {
  const host = timeline.kernelAt(position);
  const again = keepOwnFiles(host, position, call);
  for (const event of timeline.between(position + 1, timeline.head)) {
    if (event.type === 'host.booted') return null;
    host.take(event);
    if (host.judge(again) === null) return event.position;
  }
  return null;
}

/** Has a process of its own hold the files of a call, and gives the call as that process makes it. */
function keepOwnFiles(host: Kernel, position: number, call: Call): Call {
  if (!('fd' in call)) return call;
  const { pid } = call;
  const argument = 'iommufd' in call ? call.iommufd : 'container' in call ? call.container : null;
  const given = 'groups' in call ? call.groups : [];
  const own = [call.fd, ...(argument === null ? [] : [argument]), ...given];
  // A number that stands for nothing may stand for something later, in that process only.
  if (own.some((fd) => host.processes.file(pid, fd) === undefined)) return call;
  const started = { pid: KEEPER, comm: 'keeper', cgroup: null };
  host.take({ type: 'process.started', data: started, position });
  for (const fd of own) {
    host.take({ type: 'descriptor.passed', data: { pid, fd, to: KEEPER, as: fd }, position });
  }
  return { ...call, pid: KEEPER };
}
