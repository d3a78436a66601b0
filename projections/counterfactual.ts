/**
 * What made a refusal, and what would have let it through: the past with an event left out, and the
 * future with the attempt made again.
 *
 * @module
 */
import type { Call, Fact, Placed } from '../events/vocabulary.ts';
import { callOf } from '../machines/calls.ts';
import { Kernel } from '../machines/kernel.ts';
import type { OpenFile } from '../machines/host.ts';
import type { Position } from './shapes.ts';
import { keyOf, type SubjectKey } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/** More events than this are never left out together in search of a cause. */
const EVENTS_MAX = 8;

/**
 * The fewest positions without any one of which the attempt at `position` would have passed; the
 * latest of them where several would do. Empty where no event made it: then it lacks something.
 */
export function becauseOf(timeline: Timeline, position: number, call: Call): number[] {
  const candidates = candidatesOf(timeline, position, call);
  const single = candidates.find((candidate) =>
    passesWithout(timeline, position, call, new Set([candidate])),
  );
  return single === undefined ? together(timeline, position, call, candidates) : [single];
}

/** Several events that stand in the way side by side, such as two kernel drivers in a group. */
function together(
  timeline: Timeline,
  position: number,
  call: Call,
  candidates: readonly number[],
): number[] {
  const out = new Set<number>();
  while (out.size < EVENTS_MAX) {
    const before = obstacle(without(timeline, position, out), call);
    const next = candidates.find(
      (candidate) =>
        !out.has(candidate) &&
        obstacle(without(timeline, position, new Set([...out, candidate])), call) !== before,
    );
    if (next === undefined) return [];
    out.add(next);
    if (passesWithout(timeline, position, call, out)) break;
  }
  if (!passesWithout(timeline, position, call, out)) return [];
  for (const spare of out) {
    const fewer = new Set([...out].filter((other) => other !== spare));
    if (passesWithout(timeline, position, call, fewer)) out.delete(spare);
  }
  return [...out].toSorted((a, b) => a - b);
}

/** What stands in the way, as text: the failed check and who it is. */
function obstacle(kernel: Kernel, call: Call): string {
  const refusal = kernel.judge(call);
  return refusal === null ? '' : `${refusal.check} ${JSON.stringify(refusal.blocker)} ${claimsOf(kernel, call)}`;
}

function claimsOf(kernel: Kernel, call: Call): number {
  return kernel.question(call).group?.record.claims ?? 0;
}

function passesWithout(
  timeline: Timeline,
  position: number,
  call: Call,
  out: ReadonlySet<number>,
): boolean {
  return without(timeline, position, out).judge(call) === null;
}

/** The host just before a position, had some events not happened, nor what they alone made possible. */
function without(timeline: Timeline, position: number, out: ReadonlySet<number>): Kernel {
  const kernel = new Kernel();
  for (let next = timeline.bootBefore(position); next < position; next++) {
    if (!out.has(next)) takeIfPossible(kernel, timeline.at(next));
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
function candidatesOf(timeline: Timeline, position: number, call: Call): number[] {
  const host = timeline.replayTo(position - 1);
  const question = host.question(call);
  const subjects = new Set<SubjectKey>();
  const group = question.group ?? question.device?.group ?? undefined;
  if (group !== undefined) subjects.add(keyOf({ kind: 'group', id: group.group }));
  if ('pid' in call) subjects.add(keyOf({ kind: 'process', id: String(call.pid) }));
  for (const device of group?.devices.keys() ?? []) subjects.add(`device ${device}`);
  const blocker = host.judge(call)?.blocker?.file ?? null;
  const files = [question.file, question.argument, blocker === null ? undefined : host.file(blocker)];
  for (const file of files) if (file !== undefined) addKeepers(subjects, host, file);
  const boot = timeline.bootBefore(position);
  const positions = [...subjects].flatMap((key) =>
    timeline.positionsOf(key).filter((at) => at > boot && at < position),
  );
  return [...new Set(positions)].toSorted((a, b) => b - a);
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
  const host = timeline.replayTo(position);
  const again = keepOwnFiles(host, position, call);
  const end = timeline.bootAfter(position);
  for (let next = position + 1; next < end; next++) {
    host.take(timeline.at(next));
    if (host.judge(again) === null) return next;
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

