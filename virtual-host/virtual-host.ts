/**
 * `virtualHost`: a host without devices, on which tests make calls. The rules of a kernel answer them.
 *
 * It patches nothing global, and is a what-if at the start of an empty log: every call is judged and
 * recorded as an attempt on that what-if, and the questions about a log can be asked of it.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { LedgerError } from '../events/ledger-error.ts';
import type { Call } from '../events/vocabulary.ts';
import { hostGiven, type SimulateSettings } from '../ledger/settings.ts';
import { supposed, type Attempted, type WhatIf } from '../ledger/what-if.ts';
import type { Topology } from '../scenario/topology.ts';
import { bootFacts } from '../scenario/topology.ts';
import {
  absentWords,
  deviceIn,
  groupIn,
  isAddress,
  isGroupNumber,
  plainGroup,
} from '../scenario/topology-words.ts';
import { VirtualProcess } from './process.ts';
import { SystemError } from './system-error.ts';

export type { GroupStatus } from '../host/attempt.ts';
export type {
  AnyDescriptor,
  ContainerDescriptor,
  DeviceDescriptor,
  GroupDescriptor,
  IommufdDescriptor,
  RegionMapping,
} from './descriptors.ts';
export { given, type ExpectedAnswer, type GivenScenario, type PlayedOperation } from './given.ts';
export type { VirtualProcess } from './process.ts';
export type { SystemCalls } from './system-calls.ts';
export { SystemError };

/**
 * A host as a topology has it, right after its boot. Throws `bad-request` for a wrong topology or
 * profile.
 */
export function virtualHost(settings: SimulateSettings): VirtualHost {
  return new VirtualHost(settings);
}

/** A host that answers as a kernel would. Made by `virtualHost`. */
export class VirtualHost {
  /** What happened so far. It answers the same questions as a log. */
  readonly ledger: WhatIf;
  readonly #topology: Topology;
  readonly #processes = new Map<string, VirtualProcess>();

  /** @internal */
  constructor(settings: SimulateSettings) {
    const { topology, profile } = hostGiven('virtualHost', settings);
    this.#topology = topology;
    this.ledger = supposed(bootFacts('-', topology, { profile, simulated: true }));
  }

  /** The process with a name; it is started if none is there. */
  process(comm: string): VirtualProcess {
    const known = this.#processes.get(comm);
    if (known !== undefined && this.ledger.live.processTable.process(known.pid) !== undefined)
      return known;
    return this.met(this.ledger.start({ comm }), comm);
  }

  /** Starts a process without open files. Throws a `SystemError` if one with this name is there. */
  spawn(comm: string): VirtualProcess {
    const { pid = -1 } = this.call({ operation: 'spawn', comm });
    return this.met(pid, comm);
  }

  /**
   * Unbinds the driver of a device, and binds another; null for none. Returns `pending` if the
   * unbind waits for the device's last file: `finishDriverChange` then reports its end.
   */
  setDriver(device: string, driver: string | null): 'done' | 'pending' {
    return progressOf(
      this.call({ operation: 'set_driver', device: this.deviceNamed(device), driver }),
    );
  }

  /** The end of a driver change that was `pending`. Throws a `SystemError` if there is none. */
  finishDriverChange(): 'done' | 'pending' {
    return progressOf(this.call({ operation: 'bg_wait' }));
  }

  /**
   * Makes a call with its arguments as the kernel sees them; `path` is the path that it opens. Throws
   * a `SystemError` if it is refused, `unsupported` if the kernel dies of it or has died before, and
   * `bad-request` as `WhatIf.attempt` does.
   */
  call(call: Call, path?: string): Attempted {
    const attempted = this.ledger.attempt(call);
    const { errno, position } = attempted;
    if (errno === null) return attempted;
    const opened = path ?? this.#pathOf(call);
    throw new SystemError(call, errno, opened, () => this.ledger.why(position));
  }

  /**
   * The PCI address of a device, by topology name or address. Throws `unknown-subject` for a name that
   * the topology does not have. Of an address that it does not have, the kernel says that no device is
   * there: programs ask for addresses, and only tests for names.
   *
   * @internal
   */
  deviceNamed(word: string): string {
    const name = textGiven(word);
    const known = deviceIn(this.#topology, name);
    if (known !== null || isAddress(name)) return known ?? name;
    throw new LedgerError('unknown-subject', absentWords(this.#topology, 'device', name));
  }

  /**
   * The number of a group, by `26`, `g26`, or a device of the topology. Throws `unknown-subject` as
   * `deviceNamed` does.
   *
   * @internal
   */
  groupNamed(word: string): string {
    const known = groupIn(this.#topology, word);
    if (known !== null || isGroupNumber(word)) return known ?? plainGroup(word);
    throw new LedgerError('unknown-subject', absentWords(this.#topology, 'group', word));
  }

  /** @internal */
  met(pid: number, comm: string): VirtualProcess {
    const process = new VirtualProcess(this, pid, comm);
    this.#processes.set(comm, process);
    return process;
  }

  /** The path that a call opens; null if it opens none. */
  #pathOf(call: Call): string | null {
    if (call.operation === 'open_iommufd') return '/dev/iommu';
    if (call.operation === 'open_container') return '/dev/vfio/vfio';
    if (call.operation === 'open_group') return `/dev/vfio/${call.group}`;
    if (call.operation === 'open_path') return call.path;
    if (call.operation !== 'open_cdev') return null;
    // A program finds the name of the node in this folder, which is there if the device has one.
    const { cdev = null } = this.ledger.live.device(call.device) ?? {};
    return cdev === null
      ? `/sys/bus/pci/devices/${call.device}/vfio-dev`
      : `/dev/vfio/devices/${cdev}`;
  }
}

function progressOf({ pending }: Attempted): 'done' | 'pending' {
  return pending === true ? 'pending' : 'done';
}
