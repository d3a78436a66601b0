/**
 * Plays statements: keeps processes, names and drivers, makes the calls, and says what happened.
 *
 * Who answers the calls is left open: the machines when a scenario is simulated, the recording when
 * a real kernel's answers are imported. Both come out as the same facts.
 *
 * @module
 */
import type { Call, Fact } from '../events/vocabulary.ts';
import type { Naming, Outcome, Passed } from '../operations/row.ts';
import { factOf, rowOf } from '../operations/table.ts';
import { callOfStatement, openedBy, type Place } from './calls.ts';
import { processName, type OperationStatement, type ProcessName } from './language.ts';
import { Names } from './names.ts';
import { bootFacts, type BootOptions, type Topology } from './topology.ts';

/** Who answers, and who is told what happened. */
export interface Port {
  /** The outcome of a call, as things stand. A driver change without a driver is its first half. */
  answer(call: Call): Outcome;
  /** Whether the device has a file that holds back the unbind of its driver. */
  isHeld(device: string): boolean;
  /** Whether the driver change that was blocked still is. */
  isBlocked(): boolean;
  /** The device whose cdev has a name now; undefined where only the player could know. */
  deviceOfNode(node: string): string | undefined;
  /** How a descriptor's file is opened anew; null where it has no node of VFIO's. */
  reopen(pid: number, fd: number): Call | null;
  happened(fact: Fact): void;
}

/** The answer to a statement, as the recorder writes it. */
export interface Answer {
  /** Who did it: the process, `-` for spawn and kill, `bg` for driver changes. */
  readonly p: string;
  readonly op: string;
  readonly rc: number;
  readonly errno?: string;
  readonly cause?: string;
  readonly driver?: string;
  readonly pending?: true;
}

interface Change {
  readonly device: string;
  readonly next: string | null;
}

interface Driver {
  readonly driver: string | null;
  readonly cdev: string | null;
}

export class Player {
  readonly #kernel: Port;
  #topology: Topology;
  readonly #options: BootOptions;
  readonly #pids = new Map<ProcessName, number>();
  readonly #names = new Map<number, Names>();
  readonly #drivers = new Map<string, Driver>();
  #change: Change | null = null;
  #nextPid: number;

  /** Pids are handed out from `firstPid` and never twice. */
  constructor(kernel: Port, topology: Topology, options: BootOptions, firstPid: number) {
    this.#kernel = kernel;
    this.#topology = topology;
    this.#options = options;
    this.#nextPid = firstPid;
  }

  /** The number behind a name of a process. */
  descriptor(pid: number, name: string): number {
    return this.#namesOf(pid).descriptor(name);
  }

  /** The call that a statement would make; a process that is not there yet is -1, with no names. */
  foresee(statement: OperationStatement): Call {
    const pid = this.#pids.get(statement.process) ?? -1;
    const receiver = (word: string) => this.#pids.get(processName(word)) ?? -1;
    const place = this.#place(pid, this.#names.get(pid) ?? new Names());
    return callOfStatement(statement, { ...place, receiver });
  }

  /** Begins a sequence: a fresh boot, of another machine where a topology is given. */
  boot(name: string, topology: Topology = this.#topology): void {
    this.#topology = topology;
    this.#pids.clear();
    this.#names.clear();
    this.#drivers.clear();
    this.#change = null;
    for (const { bdf, driver, cdev } of this.#topology.devices) {
      this.#drivers.set(bdf, { driver, cdev });
    }
    for (const fact of bootFacts(name, this.#topology, this.#options)) this.#kernel.happened(fact);
  }

  play(statement: OperationStatement): Answer {
    const { operation, operands, text } = statement;
    switch (operation) {
      case 'spawn':
        return this.#spawn(processName(operands[0] ?? ''), text);
      case 'kill':
        // Killing a process that is not there is no error, and nothing happens.
        this.lose(processName(operands[0] ?? ''));
        return { p: '-', op: text, rc: 0 };
      case 'set_driver':
        return { p: 'bg', op: text, ...this.#setDriver(statement) };
      case 'bg_wait':
        return { p: 'bg', op: text, ...this.#collect() };
      default: {
        const outcome = this.#operate(statement, this.#process(statement.process));
        return { p: statement.process, op: text, ...resultOf(outcome) };
      }
    }
  }

  #operate(statement: OperationStatement, pid: number): Outcome {
    const { operation, operands } = statement;
    if (operation === 'fork') return this.#fork(pid, processName(operands[0] ?? ''));
    const names = this.#namesOf(pid);
    // The recorder's own memory to map for DMA takes addresses, whatever becomes of the call.
    if (operation === 'ioas_map' || operation === 'map_dma') {
      names.map(statement.options['size'] ?? 4096);
    }
    const call = callOfStatement(statement, this.#place(pid, names));
    const outcome = this.#ask(call, names);
    if (outcome.errno === null) this.#name(call, operands, names, outcome);
    return outcome;
  }

  /** Makes a call and tells what came of it. */
  #ask(call: Call, names: Names): Outcome {
    const answered = this.#kernel.answer(call);
    const outcome =
      call.operation === 'mmap' && answered.errno === null
        ? { ...answered, id: names.map(4096) }
        : answered;
    const reopen = (of: number) => ('pid' in call ? this.#kernel.reopen(call.pid, of) : null);
    const fact = factOf(outcome.errno === null ? openedBy(call, reopen) : call, outcome);
    if (fact !== null) this.#kernel.happened(fact);
    return outcome;
  }

  /** Names stand for what a successful call handed out. */
  #name(call: Call, operands: readonly string[], names: Names, passed: Passed): void {
    const naming: Naming = {
      name: (at, value) => {
        const word = operands[at];
        if (word !== undefined) names.set(word, value);
      },
      nameId: (at, value) => names.set(`${operands[at] ?? ''}.id`, value),
      nameIn: (pid, at, otherwise, value) =>
        this.#namesOf(pid).set(operands[at] ?? operands[otherwise] ?? '', value),
      unmap: (address) => names.unmap(address),
      executed: () => names.executed(),
      ended: (pid) => this.#bury(pid),
    };
    rowOf(call.operation).scenario.names?.(naming, passed, call as never);
  }

  #place(pid: number, names: Names): Place {
    return {
      pid,
      names,
      device: (word) => this.#deviceNamed(word)?.bdf ?? word,
      group: (word) => this.#deviceNamed(word)?.group ?? word.replace(/^g(?=\d)/, ''),
      receiver: (word) => this.#process(processName(word)),
      cdev: (node) => this.#kernel.deviceOfNode(node) ?? this.#deviceOfNode(node) ?? node,
    };
  }

  #deviceNamed(word: string): Topology['devices'][number] | undefined {
    return this.#topology.devices.find(({ name, bdf }) => name === word || bdf === word);
  }

  #deviceOfNode(node: string): string | undefined {
    return [...this.#drivers].find(([, { cdev }]) => cdev === node)?.[0];
  }

  /** The pid of a process; one that is not there is started. */
  #process(name: ProcessName): number {
    return this.#pids.get(name) ?? this.#start(name);
  }

  #start(name: ProcessName): number {
    const pid = this.#nextPid++;
    this.#pids.set(name, pid);
    this.#names.set(pid, new Names());
    this.#kernel.happened({ type: 'process.started', data: { pid, comm: name, cgroup: null } });
    return pid;
  }

  #namesOf(pid: number): Names {
    const names = this.#names.get(pid);
    if (names === undefined) throw new RangeError(`process ${pid} has no names`);
    return names;
  }

  #bury(pid: number): void {
    this.#names.delete(pid);
    for (const [name, known] of this.#pids) if (known === pid) this.#pids.delete(name);
  }

  /** A process is killed, or was found to be gone. */
  lose(name: ProcessName): void {
    const pid = this.#pids.get(name);
    if (pid === undefined) return;
    this.#kernel.happened({ type: 'process.exited', data: { pid, signal: 'SIGKILL' } });
    this.#bury(pid);
  }

  /** Makes a call whose success is more than one fact, and tells of a refusal. */
  #try(call: Call): Outcome {
    const outcome = this.#kernel.answer(call);
    if (outcome.errno !== null) this.#refuse(call, outcome);
    return outcome;
  }

  #spawn(name: ProcessName, op: string): Answer {
    const outcome = this.#try({ operation: 'spawn', comm: name });
    if (outcome.errno === null) this.#start(name);
    return { p: '-', op, ...resultOf(outcome) };
  }

  #fork(pid: number, name: ProcessName): Outcome {
    const outcome = this.#try({ operation: 'fork', pid, comm: name });
    if (outcome.errno !== null) return outcome;
    const child = this.#nextPid++;
    this.#pids.set(name, child);
    this.#names.set(child, this.#namesOf(pid).forked());
    this.#kernel.happened({ type: 'process.forked', data: { pid, child, comm: name } });
    return outcome;
  }

  #setDriver({ operands }: OperationStatement): Omit<Answer, 'p' | 'op'> {
    const [word = '', wanted = ''] = operands;
    const device = this.#deviceNamed(word)?.bdf ?? word;
    const next = wanted === 'none' ? null : wanted;
    const call: Call = { operation: 'set_driver', device, driver: next };
    const allowed = this.#kernel.answer({ ...call, driver: null });
    if (allowed.errno !== null) return this.#refuse(call, allowed);
    const { driver } = this.#drivers.get(device) ?? { driver: null };
    if (driver !== null && this.#kernel.isHeld(device)) {
      this.#change = { device, next };
      const waiter = { pid: null, comm: 'bg' };
      this.#kernel.happened({
        type: 'driver.unbind-blocked',
        data: { device, driver, next, waiter },
      });
      return { rc: 0, pending: true };
    }
    if (driver !== null) {
      this.#drivers.set(device, { driver: null, cdev: null });
      this.#kernel.happened({ type: 'driver.unbound', data: { device, driver } });
    }
    if (next === null) return { rc: 0, driver: 'none' };
    const outcome = this.#kernel.answer(call);
    if (outcome.errno !== null) return { ...this.#refuse(call, outcome), driver: 'none' };
    const cdev = this.#bindDriver(device, next);
    this.#kernel.happened({ type: 'driver.bound', data: { device, driver: next, cdev } });
    return { rc: 0, driver: next };
  }

  #refuse(call: Call, outcome: Outcome): Omit<Answer, 'p' | 'op'> {
    const fact = factOf(call, outcome);
    if (fact !== null) this.#kernel.happened(fact);
    return resultOf(outcome);
  }

  /** Waits for a blocked change: it is over, refused, or still blocked. */
  #collect(): Omit<Answer, 'p' | 'op'> {
    const call: Call = { operation: 'bg_wait' };
    const change = this.#change;
    if (change === null) return this.#refuse(call, this.#kernel.answer(call));
    const { device, next } = change;
    if (this.#kernel.isBlocked()) return { rc: 0, pending: true };
    this.#change = null;
    this.#drivers.set(device, { driver: null, cdev: null });
    const outcome = this.#kernel.answer(call);
    if (outcome.errno !== null) return { ...this.#refuse(call, outcome), driver: 'none' };
    if (next !== null) this.#bindDriver(device, next);
    this.#kernel.happened({ type: 'driver.settled', data: { device, driver: next } });
    return { rc: 0, driver: next ?? 'none' };
  }

  /** Notes a device's new driver, and the lowest free node where it is VFIO's. */
  #bindDriver(device: string, driver: string): string | null {
    const taken = new Set([...this.#drivers.values()].map(({ cdev }) => cdev));
    let number = 0;
    while (taken.has(`vfio${number}`)) number++;
    const hasCdevs = this.#topology.iommufd && driver === 'vfio-pci';
    const cdev = hasCdevs ? `vfio${number}` : null;
    this.#drivers.set(device, { driver, cdev });
    return cdev;
  }
}

function resultOf(outcome: Outcome): { rc: number; errno?: string; cause?: string } {
  if (outcome.errno === null) return { rc: outcome.rc };
  const { errno, cause } = outcome;
  return { rc: -1, errno, ...(cause !== undefined && { cause }) };
}
