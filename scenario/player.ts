/**
 * Plays the statements of a scenario: keeps processes and names, makes the calls, and reports the
 * facts.
 *
 * A `Host` answers the calls: the machines when a scenario is simulated, the recording when a real
 * kernel's answers are imported. The facts are the same in both cases.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import type { Naming, Outcome, Passed } from '../operations/row.ts';
import { rowOf } from '../operations/table.ts';
import { callOfStatement, type Resolver } from './calls.ts';
import { processName, type OperationStatement, type ProcessName } from './language.ts';
import { Names } from './names.ts';
import { perform, type Host, type Port } from './perform.ts';
import { deviceIn, groupIn, plainGroup } from './topology-words.ts';
import { bootFacts, type BootOptions, type Topology } from './topology.ts';

const PAGE = 4096;
/** The pid of a process that does not exist. */
const NOBODY = -1;
/** The caller in the answer, for calls that no process of the scenario makes. */
export const callers = { recorder: '-', background: 'bg' } as const;

/** The answer to a statement, in the format of the recorder. */
export interface Answer {
  /** The caller: a process, `-` for spawn and kill, `bg` for driver changes. */
  readonly p: string;
  readonly op: string;
  /** Left out if the call never returned. */
  readonly rc?: number;
  readonly errno?: string;
  readonly cause?: string;
  readonly driver?: string;
  readonly pending?: true;
  /** The kernel has died, of this call or of an earlier one. */
  readonly dead?: true;
}

/** Plays statements on one host. */
export class Player {
  readonly #port: Port;
  #topology: Topology;
  readonly #options: BootOptions;
  readonly #pids = new Map<ProcessName, number>();
  readonly #names = new Map<number, Names>();
  #nextPid: number;

  /** Pids are handed out from `firstPid` on, and none of them twice, unless the host does it. */
  constructor(host: Host | Port, topology: Topology, options: BootOptions, firstPid: number) {
    this.#port = {
      newPid: () => this.#nextPid++,
      addressFor: (pid) => this.#namesOf(pid).map(PAGE),
      ...host,
    };
    this.#topology = topology;
    this.#options = options;
    this.#nextPid = firstPid;
  }

  /** The descriptor behind a name of a process. Throws `RangeError` for an unknown pid. */
  descriptor(pid: number, name: string): number {
    return this.#namesOf(pid).descriptor(name);
  }

  /** The call that a statement would make; the pid of a process that does not exist yet is -1. */
  foresee(statement: OperationStatement): Call {
    const pid = this.#pids.get(statement.process) ?? NOBODY;
    const receiver = (word: string) => this.#pids.get(processName(word)) ?? NOBODY;
    const resolver = this.#resolver(pid, this.#names.get(pid) ?? new Names());
    return callOfStatement(statement, { ...resolver, receiver });
  }

  /** Takes over which processes of scenarios run, on a host on which others make calls, too. */
  takeProcesses(running: Iterable<{ readonly pid: number; readonly comm: string | null }>): void {
    const pids = new Map<string, number>();
    for (const { pid, comm } of running) if (comm !== null) pids.set(comm, pid);
    for (const [name, pid] of this.#pids) if (pids.get(name) !== pid) this.#bury(pid);
    for (const [comm, pid] of pids) {
      if (!/^P[1-8]$/.test(comm) || this.#names.has(pid)) continue;
      this.#meet(processName(comm), pid, new Names());
    }
  }

  /** Begins a sequence with a fresh boot; with a topology, of that machine. */
  boot(name: string, topology: Topology = this.#topology): void {
    this.#topology = topology;
    this.#pids.clear();
    this.#names.clear();
    for (const fact of bootFacts(name, this.#topology, this.#options)) this.#port.happened(fact);
  }

  /** Plays a statement, which starts its process if necessary, and returns the answer. */
  play(statement: OperationStatement): Answer {
    const { caller } = rowOf(statement.operation);
    const p = caller === 'process' ? statement.process : callers[caller];
    if (this.#port.isDead()) return { p, op: statement.text, dead: true };
    const outcome =
      caller === 'process'
        ? this.#operate(statement, this.#process(statement.process))
        : this.#operateForNobody(statement);
    return { p, op: statement.text, ...answerOf(outcome) };
  }

  #operate(statement: OperationStatement, pid: number): Outcome {
    const { operation, options } = statement;
    const names = this.#namesOf(pid);
    // The recorder allocates memory to map for DMA before the call, so it takes addresses in any
    // case.
    if (rowOf(operation).scenario.options.includes('size')) names.map(options['size'] ?? PAGE);
    return this.#make(callOfStatement(statement, this.#resolver(pid, names)), statement, names);
  }

  /** A call of the recorder or its background task; it starts no process but the one it names. */
  #operateForNobody(statement: OperationStatement): Outcome {
    const names = new Names();
    const receiver = (word: string) => this.#pids.get(processName(word)) ?? NOBODY;
    const call = callOfStatement(statement, { ...this.#resolver(NOBODY, names), receiver });
    // Killing a process that does not exist is no error and has no effect.
    if ('pid' in call && call.pid === NOBODY) return { errno: null, rc: 0 };
    return this.#make(call, statement, names);
  }

  #make(call: Call, { operands }: OperationStatement, names: Names): Outcome {
    const outcome = perform(this.#port, call);
    if (outcome.errno === null) this.#name(call, operands, names, outcome);
    return outcome;
  }

  /** Assigns the statement's names to the results of a call that passed. */
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
      started: (at, pid) => this.#meet(processName(operands[at] ?? ''), pid, new Names()),
      forked: (at, pid) => this.#meet(processName(operands[at] ?? ''), pid, names.forked()),
    };
    rowOf(call.operation).scenario.names?.(naming, passed, call as never);
  }

  #resolver(pid: number, names: Names): Resolver {
    return {
      pid,
      names,
      device: (word) => deviceIn(this.#topology, word) ?? word,
      group: (word) => groupIn(this.#topology, word) ?? plainGroup(word),
      receiver: (word) => this.#process(processName(word)),
      cdev: (node) => this.#port.deviceOfNode(node) ?? node,
    };
  }

  /** The pid of a process; it is started if it does not exist. */
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
    if (names === undefined) throw new RangeError(`no process with pid ${pid} in this scenario`);
    return names;
  }

  #bury(pid: number): void {
    this.#names.delete(pid);
    for (const [name, known] of this.#pids) if (known === pid) this.#pids.delete(name);
  }

  /** Ends a process that was killed, or that was found to be gone. */
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
}

/** The result of a call; for a driver change, with the driver that the device has after it. */
function answerOf(outcome: Outcome): Omit<Answer, 'p' | 'op'> {
  if (outcome.errno === null && outcome.isFatal === true) return { dead: true };
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
