/**
 * `scenarioOf`: calls that were made on a host, written as a scenario that makes them again.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import type { Call } from '../events/vocabulary.ts';
import type { Naming, Outcome } from '../operations/row.ts';
import { rowOf } from '../operations/table.ts';
import { callOfStatement, type Resolver } from './calls.ts';
import { parseLine, type ProcessName } from './language.ts';
import { Names } from './names.ts';
import type { Topology } from './topology.ts';

interface StartedProcess {
  readonly pid: number;
  readonly comm: string;
}

/** What a scenario tells of a host since its boot: a process that was started, or a call. */
export type ScenarioStep =
  | { readonly started: StartedProcess }
  | { readonly call: Call; readonly outcome: Outcome };

/** A scenario, and the processes that are called otherwise on the host. */
export interface WrittenScenario {
  readonly lines: readonly string[];
  /** Why the first call that the language has no line for is not in it; null if all are. */
  readonly unwritten: string | null;
  readonly processes: readonly { readonly name: ProcessName; readonly comm: string }[];
}

/**
 * A scenario with these calls. Processes are called P1 to P8 in the order of their start,
 * descriptors and objects by the names of the language.
 *
 * A call that the language has no line for is left out, and said. Throws `RequestError` if more than
 * eight processes ran at once.
 */
export function scenarioOf(topology: Topology, steps: Iterable<ScenarioStep>): WrittenScenario {
  const writer = new Writer(topology);
  for (const step of steps) {
    if ('started' in step) writer.started(step.started);
    else writer.made(step.call, step.outcome);
  }
  return writer.finished();
}

interface WrittenProcess {
  /** Its name in the scenario, and on the host. */
  readonly name: ProcessName;
  readonly comm: string;
  readonly names: Names;
}

const FIRST_IOVA = 0x100000;
const PAGE = 4096;
/** Options that a line has only if the value is another. */
const usual: Readonly<Record<string, unknown>> = { cloexec: false, iova: FIRST_IOVA, size: PAGE };
const slots = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8'] as const;
/** The operands that stand for one kind of number. */
const kinds = ['ABCGI', 'XH', 'M'];

class Writer {
  readonly #topology: Topology;
  readonly #processes = new Map<number, WrittenProcess>();
  readonly #used = new Set<ProcessName>();
  /** Processes that were started and are in no line yet. */
  #waiting: number[] = [];
  readonly #lines: string[] = [];
  readonly #told: { readonly name: ProcessName; readonly comm: string }[] = [];

  #unwritten: string | null = null;

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  started(process: StartedProcess): void {
    this.#meet(process, this.#freeName(process.comm), new Names());
    this.#waiting.push(process.pid);
  }

  made(call: Call, outcome: Outcome): void {
    const { caller, scenario } = rowOf(call.operation);
    const pid = caller === 'process' && 'pid' in call ? call.pid : null;
    // The first call of a process starts it, and so does `spawn`.
    const isSpawned = call.operation === 'spawn' && outcome.errno === null;
    const isStart = isSpawned || (pid !== null && this.#waiting.at(-1) === pid);
    const child = this.#childOf(call, outcome);
    this.#startWaiting(isStart ? 1 : 0);
    const process = pid === null ? undefined : this.#processOf(pid);
    const names = process?.names ?? new Names();
    const operands = this.#operands(call, names, child);
    const words = [...wordsOf(call, operands), ...optionsOf(call, scenario.options)];
    const at = process === undefined || process.name === 'P1' ? '' : `@${process.name} `;
    const line = `${at}${words.join(' ')}`;
    if (this.#isRight(line, call, names)) this.#lines.push(line);
    else this.#unwritten ??= `the scenario language has no line for ${JSON.stringify(call)}`;
    if (outcome.errno !== null) return;
    scenario.names?.(this.#naming(operands, names, call), outcome, call as never);
  }

  finished(): WrittenScenario {
    this.#startWaiting(0);
    return { lines: this.#lines, processes: this.#told, unwritten: this.#unwritten };
  }

  #startWaiting(except: number): void {
    const started = this.#waiting.slice(0, this.#waiting.length - except);
    for (const pid of started) this.#lines.push(`spawn ${this.#processOf(pid).name}`);
    this.#waiting = [];
  }

  /** The process that a call makes, or would have made; null if it makes none. */
  #childOf(call: Call, { errno, ...outcome }: Outcome): ProcessName | null {
    if (!('comm' in call)) return null;
    const known = [...this.#processes].find(([pid, { comm }]) =>
      'pid' in outcome && errno === null && call.operation === 'spawn'
        ? pid === outcome.pid
        : errno !== null && comm === call.comm,
    );
    return known?.[1].name ?? this.#freeName(call.comm);
  }

  #operands(call: Call, names: Names, child: ProcessName | null): string[] {
    const { operands, arguments: keys } = rowOf(call.operation).scenario;
    return keys.flatMap((key, at) => {
      const operand = operands[at] ?? '';
      if (key === null) return this.#newName(operand, call, names);
      const value = (call as unknown as Readonly<Record<string, unknown>>)[key];
      // Only `set` takes the id that every `compat_ioas` has.
      if (call.operation === 'compat_ioas' && key === 'ioas' && call.action !== 'set') return [];
      if (key === 'comm') return child ?? [];
      if (key === 'device' && typeof value === 'number') return boundWord(value, names);
      if (Array.isArray(value)) return value.map((fd: number) => numberWord(fd, operand, names));
      return this.#word(operand, value, names);
    });
  }

  #word(operand: string, value: unknown, names: Names): string {
    if (value === null) return 'none';
    if (typeof value !== 'number') {
      const text = textGiven(value);
      if (operand === 'device') return this.#deviceWord(text);
      return operand === 'group' && /^\d+$/.test(text) ? `g${text}` : text;
    }
    if (operand === 'process') return this.#processOf(value).name;
    return /^[A-Z]/.test(operand) ? numberWord(value, operand, names) : String(value);
  }

  #deviceWord(bdf: string): string {
    const name = this.#topology.devices.find((device) => device.bdf === bdf)?.name ?? bdf;
    return /^[\w.:-]+$/.test(name) ? name : bdf;
  }

  /** A name that stands for nothing in the process that gets it. */
  #newName(operand: string, call: Call, names: Names): string {
    const its = call.operation === 'send' ? this.#processOf(call.to).names : names;
    const letter = operand.charAt(0);
    let name = letter;
    for (let count = 2; its.value(name) !== -1; count++) name = `${letter}${count}`;
    return name;
  }

  #naming(operands: readonly string[], names: Names, call: Call): Naming {
    const comm = 'comm' in call ? call.comm : '';
    return {
      name: (at, value) => names.set(operands[at] ?? ':', value),
      nameId: (at, value) => names.set(`${operands[at] ?? ':'}.id`, value),
      nameIn: (pid, at, _otherwise, value) =>
        this.#processOf(pid).names.set(operands[at] ?? ':', value),
      unmap: () => {},
      executed: () => {},
      ended: (pid) => this.#processes.delete(pid),
      started: () => {},
      forked: (at, pid) => this.#meet({ pid, comm }, operands[at] as ProcessName, names.forked()),
    };
  }

  #meet({ pid, comm }: StartedProcess, name: ProcessName, names: Names): void {
    this.#processes.set(pid, { name, comm, names });
    this.#used.add(name);
    if (name !== comm) this.#told.push({ name, comm });
  }

  #processOf(pid: number): WrittenProcess {
    const process = this.#processes.get(pid);
    if (process === undefined) throw new RequestError(`no scenario has process ${pid}`);
    return process;
  }

  #freeName(comm: string): ProcessName {
    const running = new Set([...this.#processes.values()].map(({ name }) => name));
    const free = slots.filter((slot) => !running.has(slot));
    const name =
      free.find((slot) => slot === comm) ?? free.find((slot) => !this.#used.has(slot)) ?? free[0];
    if (name !== undefined) return name;
    throw new RequestError('a scenario has no more than eight processes at a time');
  }

  /** Whether a line makes the call that it was written for. */
  #isRight(line: string, call: Call, names: Names): boolean {
    const resolver: Resolver = {
      pid: 'pid' in call ? call.pid : -1,
      names,
      device: (word: string) => this.#named(word)?.bdf ?? word,
      group: (word: string) => this.#named(word)?.group ?? word.replace(/^g(?=\d)/, ''),
      receiver: (word: string) =>
        [...this.#processes].find(([, process]) => process.name === word)?.[0] ?? -1,
      cdev: (node: string) => node,
    };
    return makes(line, call, resolver);
  }

  #named(word: string): Topology['devices'][number] | undefined {
    return this.#topology.devices.find(({ name, bdf }) => name === word || bdf === word);
  }
}

/** Operation and operands of a call. No device has a node that is not there: its path is opened. */
function wordsOf(call: Call, operands: readonly string[]): readonly string[] {
  if (call.operation !== 'open_cdev' || !/^vfio\d+$/.test(call.device)) {
    return [call.operation, ...operands];
  }
  return ['open_path', operands[0] ?? '', `/dev/vfio/devices/${call.device}`];
}

/** The id of a bound device, by the name of its descriptor. */
function boundWord(id: number, names: Names): string {
  const bound = names.standingFor(id).find((name) => name.endsWith('.id'));
  return bound === undefined ? `:${id}` : bound.slice(0, -'.id'.length);
}

function numberWord(value: number, operand: string, names: Names): string {
  const kind = kinds.find((letters) => letters.includes(operand.charAt(0))) ?? '';
  const known = names
    .standingFor(value)
    .find((name) => !name.includes('.') && kind.includes(name.charAt(0)));
  return known ?? `:${value}`;
}

function optionsOf(call: Call, options: readonly string[]): string[] {
  const values = call as unknown as Readonly<Record<string, number | boolean | undefined>>;
  return options.flatMap((option) => {
    const value = values[option];
    return value === undefined || value === usual[option] ? [] : [`${option}=${Number(value)}`];
  });
}

function makes(line: string, call: Call, resolver: Resolver): boolean {
  try {
    const statement = parseLine(line);
    if (statement?.kind !== 'operation') return false;
    return same(callOfStatement(statement, resolver), call);
  } catch (error) {
    if (error instanceof RequestError) return false;
    throw error;
  }
}

/** Whether two calls are equal; a new process may be called differently. */
function same(one: Call, other: Call): boolean {
  const told = (call: Call) =>
    JSON.stringify(
      Object.entries({ cloexec: false, ...call, comm: null })
        .filter(([, value]) => value !== undefined)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  return told(one) === told(other);
}
