/**
 * Plays statements: keeps processes, names and drivers, makes the calls, and says what happened.
 *
 * Who answers the calls is left open: the machines when a scenario is simulated, the recording when
 * a real kernel's answers are imported. Both come out as the same facts.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import type { Naming, Outcome, Passed } from '../operations/row.ts';
import { rowOf } from '../operations/table.ts';
import { callOfStatement, type Place } from './calls.ts';
import { processName, type OperationStatement, type ProcessName } from './language.ts';
import { Names } from './names.ts';
import { perform, type Host, type Port } from './perform.ts';
import { bootFacts, type BootOptions, type Topology } from './topology.ts';

const PAGE = 4096;

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

export class Player {
  readonly #port: Port;
  #topology: Topology;
  readonly #options: BootOptions;
  readonly #pids = new Map<ProcessName, number>();
  readonly #names = new Map<number, Names>();
  #nextPid: number;

  /** Pids are handed out from `firstPid` and never twice. */
  constructor(host: Host, topology: Topology, options: BootOptions, firstPid: number) {
    this.#port = {
      ...host,
      newPid: () => this.#nextPid++,
      addressFor: (pid) => this.#namesOf(pid).map(PAGE),
    };
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
    for (const fact of bootFacts(name, this.#topology, this.#options)) this.#port.happened(fact);
  }

  play(statement: OperationStatement): Answer {
    const { operation, operands, text } = statement;
    switch (operation) {
      case 'spawn':
        return { p: '-', op: text, ...resultOf(this.#spawn(processName(operands[0] ?? ''))) };
      case 'kill':
        // Killing a process that is not there is no error, and nothing happens.
        this.lose(processName(operands[0] ?? ''));
        return { p: '-', op: text, rc: 0 };
      case 'set_driver':
      case 'bg_wait': {
        const call = callOfStatement(statement, this.#place(-1, new Names()));
        return { p: 'bg', op: text, ...changeOf(perform(this.#port, call)) };
      }
      default: {
        const outcome = this.#operate(statement, this.#process(statement.process));
        return { p: statement.process, op: text, ...resultOf(outcome) };
      }
    }
  }

  #operate(statement: OperationStatement, pid: number): Outcome {
    const { operation, operands, options } = statement;
    if (operation === 'fork') return this.#fork(pid, processName(operands[0] ?? ''));
    const names = this.#namesOf(pid);
    // The recorder's own memory to map for DMA takes addresses, whatever becomes of the call.
    if (rowOf(operation).scenario.options.includes('size')) names.map(options['size'] ?? PAGE);
    const call = callOfStatement(statement, this.#place(pid, names));
    const outcome = perform(this.#port, call);
    if (outcome.errno === null) this.#name(call, operands, names, outcome);
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
      cdev: (node) => this.#port.deviceOfNode(node) ?? node,
    };
  }

  #deviceNamed(word: string): Topology['devices'][number] | undefined {
    return this.#topology.devices.find(({ name, bdf }) => name === word || bdf === word);
  }

  /** The pid of a process; one that is not there is started. */
  #process(name: ProcessName): number {
    return this.#pids.get(name) ?? this.#start(name);
  }

  #start(name: ProcessName): number {
    const pid = this.#port.newPid();
    this.#meet(name, pid, new Names());
    this.#port.happened({ type: 'process.started', data: { pid, comm: name, cgroup: null } });
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
    this.#port.happened({ type: 'process.exited', data: { pid, signal: 'SIGKILL' } });
    this.#bury(pid);
  }

  #meet(name: ProcessName, pid: number, names: Names): void {
    this.#pids.set(name, pid);
    this.#names.set(pid, names);
  }

  #spawn(name: ProcessName): Outcome {
    const outcome = perform(this.#port, { operation: 'spawn', comm: name });
    if (outcome.errno === null) this.#meet(name, outcome.pid ?? -1, new Names());
    return outcome;
  }

  #fork(pid: number, name: ProcessName): Outcome {
    const outcome = perform(this.#port, { operation: 'fork', pid, comm: name });
    if (outcome.errno === null) {
      this.#meet(name, outcome.pid ?? -1, this.#namesOf(pid).forked());
    }
    return outcome;
  }
}

/** The answer of a driver change, with the driver that the device has by then. */
function changeOf(outcome: Outcome): Omit<Answer, 'p' | 'op'> {
  const { driver } = outcome;
  return {
    ...resultOf(outcome),
    ...(driver !== undefined && { driver: driver ?? 'none' }),
    ...(outcome.errno === null && outcome.isPending === true && { pending: true }),
  };
}

function resultOf(outcome: Outcome): { rc: number; errno?: string; cause?: string } {
  if (outcome.errno === null) return { rc: outcome.rc };
  const { errno, cause } = outcome;
  return { rc: -1, errno, ...(cause !== undefined && { cause }) };
}
