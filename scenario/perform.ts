/**
 * The one place where calls become facts: a call is put to whoever answers, and what comes of it is
 * told in order, a refusal too.
 *
 * Most calls are one fact. Processes that are made, mappings and changes of drivers take more, and are
 * spelled out here. A scenario, a recording and a what-if all go through it; only the processes that
 * a scenario begins and kills are the player's.
 *
 * @module
 */
import type { Call, CallOf, Fact } from '../events/vocabulary.ts';
import type { Outcome, Passed, Refused } from '../operations/row.ts';
import { factOf, rowOf } from '../operations/table.ts';

/** A change of a driver that waited, and that nobody has collected yet. */
interface WaitingChange {
  readonly device: string;
  /** The driver that it goes on to; null for none. */
  readonly next: string | null;
  readonly isBlocked: boolean;
}

/** Who answers calls, as a host that stands on the machines or as a recording of one. */
export interface Host {
  /** The outcome of a call as things stand. A change to no driver is the first half of any. */
  answer(call: Call): Outcome;
  driverOf(device: string): string | null;
  /** Whether the device has a file that holds back the unbind of its driver. */
  isHeld(device: string): boolean;
  change(): WaitingChange | null;
  /** The node that a device gets from a driver: the lowest that is free; null for no VFIO driver. */
  nextNode(driver: string): string | null;
  /** The device whose cdev has a name now. */
  deviceOfNode(node: string): string | null;
  /** How a descriptor's file is opened anew; null where it has no node of VFIO's. */
  reopen(pid: number, fd: number): Call | null;
  happened(fact: Fact): void;
}

/** A host, and who hands out what it does not. */
export interface Port extends Host {
  /** A pid for a new process. */
  newPid(): number;
  /** The address of a process's next mapping. */
  addressFor(pid: number): number;
}

/** Makes a call. What happens with it is told in order; nothing where nothing does. */
export function perform(port: Port, call: Call): Outcome {
  if ('driver' in call) return changeDriver(port, call);
  if (rowOf(call.operation).makes === 'end-of-driver-change') return collectChange(port, call);
  const outcome = port.answer(call);
  if (outcome.errno !== null) return refuse(port, call, outcome);
  const passed = { ...outcome, ...handedOut(port, call) };
  tell(port, openedBy(call, port), passed);
  return passed;
}

/** What no kernel is asked for: the number of a process, the address of a mapping. */
function handedOut(port: Port, call: Call): Partial<Passed> {
  const { makes } = rowOf(call.operation);
  if (makes === 'process') return { pid: port.newPid() };
  return makes === 'mapping' && 'pid' in call ? { id: port.addressFor(call.pid) } : {};
}

/**
 * What a successful call has opened: a descriptor's file that was opened anew through /proc counts
 * as what it is.
 */
function openedBy(call: Call, port: Port): Call {
  if (!('path' in call)) return call;
  const [, fd] = /^\/proc\/self\/fd\/(\d+)$/.exec(call.path) ?? [];
  const opened = fd === undefined ? null : port.reopen(call.pid, Number(fd));
  return opened === null ? call : ({ ...opened, cloexec: call.cloexec ?? false } as Call);
}

function tell(port: Port, call: Call, outcome: Outcome): void {
  const fact = factOf(call, outcome);
  if (fact !== null) port.happened(fact);
}

function refuse(port: Port, call: Call, refused: Refused): Refused {
  tell(port, call, refused);
  return refused;
}

/** The driver that is there leaves before the next one is asked for: each is judged by itself. */
function changeDriver(port: Port, call: CallOf<'set_driver'>): Outcome {
  const { device, driver: next } = call;
  const left = port.answer({ ...call, driver: null });
  if (left.errno !== null) return refuse(port, call, left);
  const driver = port.driverOf(device);
  if (driver !== null && port.isHeld(device)) {
    const waiter = { pid: null, comm: 'bg' };
    port.happened({ type: 'driver.unbind-blocked', data: { device, driver, next, waiter } });
    return { errno: null, rc: 0, isPending: true };
  }
  if (driver !== null) port.happened({ type: 'driver.unbound', data: { device, driver } });
  if (next === null) return { errno: null, rc: 0, driver: null };
  const bound = port.answer(call);
  if (bound.errno !== null) return { ...refuse(port, call, bound), driver: null };
  tell(port, call, { errno: null, rc: 0, cdev: port.nextNode(next) });
  return { errno: null, rc: 0, driver: next };
}

/** Waits for a change that was blocked: it is over, refused, or still blocked. */
function collectChange(port: Port, call: Call): Outcome {
  const change = port.change();
  if (change?.isBlocked === true) return { errno: null, rc: 0, isPending: true };
  const outcome = port.answer(call);
  if (outcome.errno !== null) {
    return { ...refuse(port, call, outcome), ...(change !== null && { driver: null }) };
  }
  if (change === null) return outcome;
  const { device, next: driver } = change;
  port.happened({ type: 'driver.settled', data: { device, driver } });
  return { errno: null, rc: 0, driver };
}
