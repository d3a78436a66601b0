/**
 * Calls put to a host that stands on the machines: how each one goes, and what happens with it.
 *
 * A scenario's player decides itself what a statement makes of processes and drivers; here the host
 * alone is asked, for calls that nobody has written down beforehand.
 *
 * @module
 */
import type { Call, CallOf, Fact } from '../events/vocabulary.ts';
import type { Cause } from '../machines/causes.ts';
import { judge } from '../machines/judge.ts';
import type { Kernel } from '../machines/kernel.ts';
import { openedBy } from '../scenario/calls.ts';
import type { Passed } from '../operations/row.ts';
import { factOf } from '../operations/table.ts';
import { Names } from '../scenario/names.ts';
import type { DmaMappings } from './dma-mappings.ts';

/** What a call returned; `fd` is the descriptor that it handed out. */
type Admitted = Passed & { readonly fd?: number };
interface Refused {
  readonly errno: string;
  readonly cause: Cause;
}

/** What the rules answer to a call as things stand. Only the mappings for DMA remember it. */
export function answerTo(kernel: Kernel, mappings: DmaMappings, call: Call): Admitted | Refused {
  const question = kernel.question(call);
  const refusal = judge(kernel.rules, question);
  if (refusal !== null) return { errno: refusal.errno, cause: refusal.cause };
  mappings.admit(kernel, call);
  const { iommufd } = question;
  const told = question.events.iommufd;
  switch (call.operation) {
    case 'open_cdev':
    case 'open_iommufd':
    case 'open_container':
    case 'open_group':
    case 'open_path':
    case 'get_device':
    case 'dup':
      return handedOut(kernel.processes.lowestFree(call.pid));
    case 'send':
      return handedOut(kernel.processes.lowestFree(call.to));
    case 'dup2':
      return handedOut(call.to);
    case 'compat_ioas':
      return { errno: null, rc: 0, id: iommufd?.record.compatIoas ?? 0 };
    default: {
      const id = told !== undefined && 'id' in told ? { id: told.id } : {};
      const hwpt = told?.type === 'device.attached' ? { hwpt: told.attachment.hwpt } : {};
      return { errno: null, rc: 0, ...id, ...hwpt };
    }
  }
}

function handedOut(fd: number): Admitted {
  return { errno: null, rc: fd, fd };
}

/** How the file behind a descriptor is opened anew; null where it has no node of VFIO's. */
export function reopening(kernel: Kernel, pid: number, fd: number): Call | null {
  const file = kernel.behind(pid, fd);
  const cloexec = false;
  switch (file?.kind) {
    case 'group':
      return { operation: 'open_group', pid, group: file.group.group, cloexec };
    case 'device':
      if (file.state === 'granted') return null;
      return { operation: 'open_cdev', pid, device: file.device.device, cloexec };
    case 'iommufd':
      return { operation: 'open_iommufd', pid, cloexec };
    case 'container':
      return { operation: 'open_container', pid, cloexec };
    default:
      return null;
  }
}

/** A host that calls are made on, and who is told what happened. */
export interface Stage {
  readonly mappings: DmaMappings;
  /** The host as it stands: after something has happened it may be another one. */
  kernel(): Kernel;
  /** A pid for a new process. */
  newPid(): number;
  /** Has the host take what happened, before the call goes on. */
  happened(fact: Fact): void;
}

/** How a call went; `pid` is the process that it made, `isPending` a driver change that waits. */
export type Made =
  | Refused
  | (Admitted & { readonly pid?: number | undefined; readonly isPending?: boolean });

/** Makes a call. What happens with it is told in order, a refusal too; nothing where nothing does. */
export function make(stage: Stage, call: Call): Made {
  if (call.operation === 'set_driver') return changeDriver(stage, call);
  if (call.operation === 'bg_wait') return collectChange(stage, call);
  const outcome = answer(stage, call);
  if (outcome.errno !== null) return refuse(stage, call, outcome);
  switch (call.operation) {
    case 'spawn': {
      const pid = stage.newPid();
      stage.happened({ type: 'process.started', data: { pid, comm: call.comm, cgroup: null } });
      return { ...outcome, pid };
    }
    case 'fork': {
      const child = stage.newPid();
      const { pid, comm } = call;
      stage.happened({ type: 'process.forked', data: { pid, child, comm } });
      return { ...outcome, pid: child };
    }
    case 'mmap':
      return admit(stage, call, { ...outcome, id: freeAddress(stage.kernel(), call.pid) });
    default:
      return admit(stage, call, outcome);
  }
}

function answer(stage: Stage, call: Call): Admitted | Refused {
  return answerTo(stage.kernel(), stage.mappings, call);
}

function admit(stage: Stage, call: Call, outcome: Admitted): Made {
  const kernel = stage.kernel();
  const opened = openedBy(call, (fd) => ('pid' in call ? reopening(kernel, call.pid, fd) : null));
  const fact = factOf(opened, outcome);
  if (fact !== null) stage.happened(fact);
  return outcome;
}

function refuse(stage: Stage, call: Call, refused: Refused): Refused {
  const fact = factOf(call, refused);
  if (fact !== null) stage.happened(fact);
  return refused;
}

/** The highest address where a process has nothing of VFIO's mapped. */
function freeAddress(kernel: Kernel, pid: number): number {
  const { mappings } = kernel.processes.process(pid) ?? {};
  const pages = new Names();
  let address = pages.map(1);
  while (mappings?.has(address)) address = pages.map(1);
  return address;
}

/** The driver that is there leaves before the next one is asked for: each is judged by itself. */
function changeDriver(stage: Stage, call: CallOf<'set_driver'>): Made {
  const { device, driver: next } = call;
  const left = answer(stage, { ...call, driver: null });
  if (left.errno !== null) return refuse(stage, call, left);
  const { driver = null, record } = stage.kernel().device(device) ?? {};
  if (driver !== null && (record?.files ?? 0) > 0) {
    const waiter = { pid: null, comm: 'bg' };
    stage.happened({ type: 'driver.unbind-blocked', data: { device, driver, next, waiter } });
    return { ...left, isPending: true };
  }
  if (driver !== null) stage.happened({ type: 'driver.unbound', data: { device, driver } });
  if (next === null) return left;
  const bound = answer(stage, call);
  if (bound.errno !== null) return refuse(stage, call, bound);
  const cdev = stage.kernel().nextCdev(next);
  stage.happened({ type: 'driver.bound', data: { device, driver: next, cdev } });
  return bound;
}

/** Waits for a change that was blocked: it is over, refused, or still blocked. */
function collectChange(stage: Stage, call: CallOf<'bg_wait'>): Made {
  const outcome = answer(stage, call);
  if (outcome.errno !== null) return refuse(stage, call, outcome);
  const change = stage.kernel().driverChange;
  if (change === null) return outcome;
  if (change.outcome === null) return { ...outcome, isPending: true };
  const { device, next: driver } = change;
  stage.happened({ type: 'driver.settled', data: { device: device.device, driver } });
  return outcome;
}
