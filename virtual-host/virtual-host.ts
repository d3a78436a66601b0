/**
 * `virtualHost`: a host without devices, on which tests make calls. The rules of a kernel answer them.
 *
 * It patches nothing global, and is a what-if at the start of an empty log: every call is judged and
 * recorded as an attempt on that what-if, and the questions about a log can be asked of it.
 *
 * @module
 */
import { stringGiven, textGiven } from '../events/given.ts';
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import type { Call } from '../events/vocabulary.ts';
import { firstStart, withStatus, type HostAnswer } from '../host/scenario-host.ts';
import { parseScenario } from '../host/simulation.ts';
import { hostGiven, type SimulateSettings } from '../ledger/settings.ts';
import type { Attempted, WhatIf } from '../ledger/what-if.ts';
import type { Profile } from '../machines/profile.ts';
import type { OperationStatement } from '../scenario/language.ts';
import { Player } from '../scenario/player.ts';
import { bootFacts, type Topology } from '../scenario/topology.ts';
import {
  type AbsentSubject,
  absentWords,
  deviceIn,
  groupIn,
  isAddress,
  isGroupNumber,
  plainGroup,
} from '../scenario/topology-words.ts';
import { scenarioOf, type WrittenScenario } from '../scenario/written.ts';
import { CalledLedger } from './called-ledger.ts';
import { VirtualProcess } from './process.ts';
import { SystemError } from './system-error.ts';

export type { GroupStatus } from '../host/attempt.ts';
export type { HostAnswer } from '../host/scenario-host.ts';
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
  readonly topology: Topology;
  /** The kernel whose rules answer. */
  readonly profile: Profile;
  readonly #calls: CalledLedger;
  /** Plays lines of the scenario language. */
  readonly #player: Player;
  readonly #processes = new Map<string, VirtualProcess>();

  /** @internal */
  constructor(settings: SimulateSettings) {
    const { topology, profile } = hostGiven('virtualHost', settings);
    const options = { profile, simulated: true };
    this.topology = topology;
    this.profile = profile;
    this.#calls = new CalledLedger(bootFacts('-', topology, options));
    this.ledger = this.#calls;
    // The ledger hands out the pids.
    this.#player = new Player(this.#calls.port, topology, options, firstStart.pid);
  }

  /**
   * Plays operations of the scenario language, such as `@P2 bind B I`, and returns their answers: a
   * refusal is one. Its P1 to P8 are the processes with these names. Throws `bad-request` for a line
   * that cannot be read or names what the topology does not have, and for `seq`.
   */
  play(scenario: string): HostAnswer[] {
    const text = stringGiven('play', 'a scenario as a string', scenario);
    const sequences = parseScenario(text, { topology: this.topology, absent: refuseName });
    if (sequences.some(({ name }) => name !== '-')) {
      throw new RequestError('play takes operations and no seq: a virtual host boots once');
    }
    return sequences.flatMap(({ operations }) => operations.map((said) => this.#play(said)));
  }

  /**
   * All calls so far as a scenario, which `simulate` plays to the same end. Its processes are called P1
   * to P8. Throws `bad-request` if the language has no words for a call, or more than eight processes
   * ran at a time.
   */
  scenario(): string {
    const { lines, unwritten } = this.written();
    if (unwritten !== null) throw new RequestError(unwritten);
    return lines.map((line) => `${line}\n`).join('');
  }

  /** @internal */
  written(): WrittenScenario {
    return scenarioOf(this.topology, this.#calls.calls);
  }

  /** The process with a name; it is started if none is there. */
  process(comm: string): VirtualProcess {
    const known = this.#processes.get(comm);
    const { processTable } = this.ledger.live;
    if (known !== undefined && processTable.process(known.pid) !== undefined) return known;
    const started = [...this.ledger.live.processes()].find((process) => process.comm === comm);
    return this.met(started?.pid ?? this.ledger.start({ comm }), comm);
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
   * The call that an operation of the scenario language would make now.
   *
   * @internal
   */
  foresee(operation: OperationStatement): Call {
    this.#player.takeProcesses(this.ledger.live.processes());
    return this.#player.foresee(operation);
  }

  #play(operation: OperationStatement): HostAnswer {
    this.#player.takeProcesses(this.ledger.live.processes());
    const answer = this.#player.play(operation);
    return withStatus(this.#player, this.ledger.live, operation, answer);
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
    const known = deviceIn(this.topology, name);
    if (known !== null || isAddress(name)) return known ?? name;
    throw new LedgerError('unknown-subject', absentWords(this.topology, 'device', name));
  }

  /**
   * The number of a group, by `26`, `g26`, or a device of the topology. Throws `unknown-subject` as
   * `deviceNamed` does.
   *
   * @internal
   */
  groupNamed(word: string): string {
    const known = groupIn(this.topology, word);
    if (known !== null || isGroupNumber(word)) return known ?? plainGroup(word);
    throw new LedgerError('unknown-subject', absentWords(this.topology, 'group', word));
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

/** Programs ask for addresses and numbers, and only tests for names. */
function refuseName({ message, isName }: AbsentSubject): void {
  if (isName) throw new RequestError(message);
}

function progressOf({ pending }: Attempted): 'done' | 'pending' {
  return pending === true ? 'pending' : 'done';
}
