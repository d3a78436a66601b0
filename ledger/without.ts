/**
 * Leaves events out of a history: a what-if goes on from before the first of them, and each later
 * call is attempted anew by the rules.
 *
 * A program uses the numbers that the kernel has handed to it. So a later call names the descriptors
 * and objects that the same calls have returned anew, and -1 where such a call was refused. Pids and
 * addresses are those of the log. Calls of a process that was never started are not made.
 *
 * @module
 */
import type { Call, Fact, Placed } from '../events/vocabulary.ts';
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import { textGiven } from '../events/given.ts';
import { LiveHost } from '../machines/live-host.ts';
import { isComplete } from '../machines/unshown-arguments.ts';
import type { RecordedCall } from '../operations/row.ts';
import { processesOf, recordedCall } from '../operations/table.ts';
import type { Timeline } from '../projections/timeline.ts';
import { Renumbering } from './renumbering.ts';
import type { Attempted, WhatIf } from './what-if.ts';

/**
 * A fork of a history without the events at some positions, up to its end. `forkAt` forks the history
 * after a position. Throws as `Ledger.without`.
 */
export function withoutEvents(
  timeline: Timeline,
  given: readonly number[],
  forkAt: (position: number) => WhatIf,
): WhatIf {
  const leftOut = positionsLeftOut(timeline, given);
  const fork = forkAt((leftOut[0] ?? 0) - 1);
  attemptAnew(timeline, fork, leftOut);
  return fork;
}

/**
 * The positions to be left out, ascending. Throws `bad-request` for anything but an array of them,
 * and for a boot.
 */
function positionsLeftOut(timeline: Timeline, given: readonly number[]): readonly number[] {
  if (!Array.isArray(given) || given.length === 0) {
    throw new RequestError(`without takes an array of positions, not '${textGiven(given)}'`);
  }
  const positions = [...new Set<number>(given)].toSorted((one, other) => one - other);
  for (const position of positions) {
    const { first, head } = timeline;
    if (!Number.isInteger(position) || position < first || position > head) {
      throw new LedgerError('bad-when', `there is no event at position ${textGiven(position)}`);
    }
    if (timeline.typeAt(position) === 'host.booted') {
      throw new RequestError(`position ${position} is a boot, without which there is no host`);
    }
  }
  return positions;
}

/**
 * Attempts on a fork what came after it in a history up to `last`, but for the positions left out.
 * Returns the outcome of each attempt, by its position in the history. Throws `unsupported` at an
 * event that is neither a call of which all arguments are known nor a fact that no call makes.
 */
export function attemptAnew(
  timeline: Timeline,
  fork: WhatIf,
  leftOut: readonly number[],
  last = timeline.head,
): ReadonlyMap<number, Attempted> {
  const left = new Set(leftOut);
  const again = new Again(timeline, fork, left);
  const attempts = new Map<number, Attempted>();
  for (const event of timeline.between(fork.from + 1, last)) {
    if (left.has(event.position)) again.leaveOut(event);
    else {
      const attempted = again.attempt(event);
      if (attempted !== null) attempts.set(event.position, attempted);
    }
    again.pass(event);
  }
  return attempts;
}

/** Facts that no call makes: they are as they were. */
const asTheyWere = new Set<Fact['type']>([
  'device.added',
  'device.removed',
  'group.found',
  'claim.granted',
  'claim.released',
  'claim.refused',
  'gap.noticed',
  'snapshot.taken',
  'evidence.begun',
  'history.archived',
  'history.removed',
  'process.started',
]);

/** A history as it was, beside the fork on which it is made again. */
class Again {
  readonly #fork: WhatIf;
  readonly #timeline: Timeline;
  readonly #was: LiveHost;
  readonly #numbers: Renumbering;
  readonly #leftOut: ReadonlySet<number>;

  constructor(timeline: Timeline, fork: WhatIf, leftOut: ReadonlySet<number>) {
    this.#leftOut = leftOut;
    this.#timeline = timeline;
    this.#fork = fork;
    this.#was = fork.from < timeline.first ? new LiveHost() : timeline.playedAt(fork.from);
    this.#numbers = new Renumbering(this.#was, () => fork.live);
  }

  /** Attempts the call of an event; null if it has none that can be attempted. */
  attempt(event: Placed): Attempted | null {
    const { type, data } = event;
    if (type === 'host.booted') return this.#keep(event);
    if (this.#fork.live.isDead || type === 'host.died') return null;
    if (asTheyWere.has(type)) return this.#keep(event);
    if (type === 'process.executed' || type === 'process.exited') {
      return this.#isThere(data.pid) ? this.#keep(event) : null;
    }
    // A refusal that the rules do not explain does not follow from the events.
    if (type === 'operation.refused' && !this.#isExplained(event)) {
      return !('pid' in data) || this.#isThere(data.pid) ? this.#keep(event) : null;
    }
    const made = this.#callOf(event);
    if (made === null) return null;
    const call = this.#numbers.renumbered(made.call as Call);
    if (!processesOf(call).every((pid) => this.#isThere(pid))) return null;
    const attempted = this.#attemptAs(call, made.passed);
    if (attempted === null) return null;
    this.#numbers.note(made, event.position, attempted);
    return attempted;
  }

  /** Null if the kernel dies of the call: nothing is attempted until the next boot. */
  #attemptAs(call: Call, passed: RecordedCall['passed']): Attempted | null {
    try {
      return this.#fork.attemptAs(call, passed);
    } catch (error) {
      if (this.#fork.live.isDead) return null;
      throw error;
    }
  }

  /** The event does not happen, so its call returns nothing. */
  leaveOut(event: Placed): void {
    // A number that the caller chose goes on to mean what it meant before.
    if (this.#isOntoOpen(event)) return;
    const made = recordedCall(event);
    if (made !== null) this.#numbers.note(made, event.position, null);
  }

  /** Whether a descriptor was duplicated onto one that was open (dup2). */
  #isOntoOpen({ type, data }: Placed): boolean {
    return (
      type === 'descriptor.duplicated' && this.#was.fileBehind(data.pid, data.as) !== undefined
    );
  }

  /** The event has happened in the history. */
  pass(event: Placed): void {
    this.#was.take(event);
  }

  #keep({ type, data }: Fact): null {
    this.#fork.happened({ type, data } as Fact);
    if (type === 'host.booted') this.#numbers.forget();
    return null;
  }

  /** The event at a position; null if there is none, or it is left out. */
  #happens(position: number): Placed | null {
    const { first, head } = this.#timeline;
    if (position < first || position > head || this.#leftOut.has(position)) return null;
    return this.#timeline.at(position);
  }

  #isThere(pid: number | null): boolean {
    return pid !== null && this.#fork.live.process(pid) !== undefined;
  }

  #isExplained({ type, data }: Placed): boolean {
    if (type !== 'operation.refused' || data.errno === null || !isComplete(data)) return false;
    return this.#was.judge(data as Call)?.errno === data.errno;
  }

  /** The call that an event records; null for a half of a driver change that makes none. */
  #callOf(event: Placed): RecordedCall | null {
    const { type, data, position } = event;
    if (type === 'operation.refused') return { call: data as Call, passed: {} };
    if (type === 'driver.unbind-blocked') return changeOf(data.device, data.next);
    if (type === 'driver.unbound') {
      const next = this.#happens(position + 1);
      return isSecondHalf(next, data.device) ? null : changeOf(data.device, null);
    }
    // A driver is not bound to a device that has one, or that waits for another.
    if (type === 'driver.bound' && !isFirstHalf(this.#happens(position - 1), data.device)) {
      const { live } = this.#fork;
      if ((live.device(data.device)?.driver ?? null) !== null || live.driverChange !== null) {
        return null;
      }
    }
    if (type === 'driver.settled') return { call: { operation: 'bg_wait' }, passed: {} };
    if (type === 'descriptor.duplicated' && this.#isOntoOpen(event)) {
      const { pid, fd, as: to } = data;
      return { call: { operation: 'dup2', pid, fd, to }, passed: { rc: to } };
    }
    const recorded = recordedCall(event);
    if (recorded !== null && isComplete(recorded.call)) return recorded;
    throw new LedgerError(
      'unsupported',
      `position ${position} (${type}) cannot be attempted anew: ` +
        (recorded === null
          ? 'no call makes it'
          : 'the evidence does not show all of its arguments'),
    );
  }
}

/** Whether an event is the unbind of a device, with which the change of its driver begins. */
function isFirstHalf(event: Placed | null, device: string): boolean {
  return event?.type === 'driver.unbound' && event.data.device === device;
}

function changeOf(device: string, driver: string | null): RecordedCall {
  return { call: { operation: 'set_driver', device, driver }, passed: {} };
}

/** Whether an event is what came of binding the next driver, after the unbind of a device. */
function isSecondHalf(event: Placed | null, device: string): boolean {
  if (event?.type === 'driver.bound') return event.data.device === device;
  if (event?.type !== 'operation.refused' || event.data.operation !== 'set_driver') return false;
  return event.data.device === device && event.data.driver !== null;
}
