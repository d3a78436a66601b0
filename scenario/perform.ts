/**
 * Performs calls: asks a `Host` for the outcome of each call and reports the facts that follow,
 * refusals included. Scenarios, recordings and what-ifs all use it.
 *
 * Most calls are one fact. New processes, mappings and driver changes take more, and are handled
 * here. Only the processes that a scenario begins and kills are handled by the player.
 *
 * @module
 */
import type { Call, CallOf, Fact } from '../events/vocabulary.ts';
import type { Outcome, Passed, Refused } from '../operations/row.ts';
import { factOf, rowOf } from '../operations/table.ts';

/** A driver change that waited and has not been collected. */
interface WaitingChange {
  readonly device: string;
  /** The driver that is bound next; null for none. */
  readonly next: string | null;
  readonly isBlocked: boolean;
  /** Whether the kernel dies of binding the next driver. */
  readonly isFatal: boolean;
}

/** Answers calls: a host on the machines, or a recording of one. */
export interface Host {
  /**
   * The outcome of a call in the current state. For a driver change, `set_driver` to no driver is
   * asked first, as its first half.
   */
  answer(call: Call): Outcome;
  driverOf(device: string): string | null;
  /** Whether an unbind of the device's driver waits. */
  delaysUnbind(device: string): boolean;
  change(): WaitingChange | null;
  /** Whether the kernel has died: then nothing is answered. */
  isDead(): boolean;
  /** The cdev node that a device gets from a driver: the lowest free; null if it is not VFIO's. */
  nextNode(driver: string): string | null;
  /** The PCI address of the device whose cdev node has a name now. */
  deviceOfNode(node: string): string | null;
  /** The call that opens a descriptor's file anew; null if it has no node of VFIO or iommufd. */
  reopen(pid: number, fd: number): Call | null;
  /** Called with each fact, in order. */
  happened(fact: Fact): void;
  /** Called with each call and its outcome, after the facts that follow from it. */
  made?(call: Call, outcome: Outcome): void;
}

/** A host, with a source of pids and of addresses. */
export interface Port extends Host {
  /** The pid of a new process. */
  newPid(): number;
  /** The address of the next mapping of a process. */
  addressFor(pid: number): number;
}

/** Makes a call and returns its outcome. The facts that follow go to `port.happened`, in order. */
export function perform(port: Port, call: Call): Outcome {
  const outcome = make(port, call);
  const { device, next = null, isFatal = false } = port.change() ?? {};
  if (device !== undefined && next !== null && isFatal) die(port, device, next);
  port.made?.(call, outcome);
  return outcome;
}

function make(port: Port, call: Call): Outcome {
  if ('driver' in call) return changeDriver(port, call);
  if (rowOf(call.operation).makes === 'end-of-driver-change') return collectChange(port, call);
  const outcome = port.answer(call);
  if (outcome.errno !== null) return refuse(port, call, outcome);
  const passed = { ...outcome, ...handedOut(port, call) };
  tell(port, openedBy(call, port), passed);
  return passed;
}

/** Results that are not the host's: the pid of a new process, the address of a mapping. */
function handedOut(port: Port, call: Call): Partial<Passed> {
  const { makes } = rowOf(call.operation);
  if (makes === 'process') return { pid: port.newPid() };
  return makes === 'mapping' && 'pid' in call ? { id: port.addressFor(call.pid) } : {};
}

/**
 * The call that is recorded for a successful one: an open of /proc/self/fd/N counts as an open of
 * that file's own node.
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

/** Unbinds the present driver, then binds the next one. Each half is judged by itself. */
function changeDriver(port: Port, call: CallOf<'set_driver'>): Outcome {
  const { device, driver: next } = call;
  const left = port.answer({ ...call, driver: null });
  if (left.errno !== null) return refuse(port, call, left);
  const driver = port.driverOf(device);
  if (driver !== null && port.delaysUnbind(device)) {
    const waiter = { pid: null, comm: 'bg' };
    port.happened({ type: 'driver.unbind-blocked', data: { device, driver, next, waiter } });
    return { errno: null, rc: 0, isPending: true };
  }
  if (driver !== null) port.happened({ type: 'driver.unbound', data: { device, driver } });
  if (next === null) return { errno: null, rc: 0, driver: null };
  const bound = port.answer(call);
  if (bound.errno !== null) return { ...refuse(port, call, bound), driver: null };
  if (bound.isFatal === true) {
    die(port, device, next);
    return bound;
  }
  tell(port, call, { errno: null, rc: 0, cdev: port.nextNode(next) });
  return { errno: null, rc: 0, driver: next };
}

/** The kernel dies of binding a driver. What it still does of other calls is unknown. */
export function die(port: Pick<Host, 'happened'>, device: string, driver: string): void {
  port.happened({ type: 'host.died', data: { device, driver } });
  port.happened({ type: 'gap.noticed', data: { reason: 'the kernel died', group: null } });
}

/** Collects a driver change that was blocked: it is done, refused, or still blocked. */
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
