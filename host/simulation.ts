/**
 * Simulates scenarios on a virtual host, from their text to answers and events.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import type { Fact, LedgerEvent, Placed } from '../events/vocabulary.ts';
import type { Profile } from '../machines/profile.ts';
import { parseLine, type OperationStatement } from '../scenario/language.ts';
import { absentIn, type AbsentSubject } from '../scenario/topology-words.ts';
import type { Topology } from '../scenario/topology.ts';
import { firstStart, ScenarioHost, type HostAnswer, type HostStart } from './scenario-host.ts';

/** A sequence of operations in a scenario. Its name is `-` before the first `seq`. */
export interface Sequence {
  readonly name: string;
  readonly operations: readonly OperationStatement[];
}

/** Where a scenario comes from, and what it is played on. */
interface ScenarioPlace {
  /** The name of its file; default: `scenario`. */
  readonly source?: string;
  /** The devices and groups that it may name; without it, none is checked. */
  readonly topology?: Topology;
  /** Called for each device and group that the topology does not have. What it throws is thrown. */
  readonly absent?: (subject: AbsentSubject, place: string) => void;
}

/**
 * Parses a scenario. Throws `RequestError` with `SOURCE:LINE: reason` at the first line that cannot
 * be read.
 */
export function parseScenario(
  text: string,
  { source = 'scenario', topology, absent = () => {} }: ScenarioPlace = {},
): Sequence[] {
  const sequences: { name: string; operations: OperationStatement[] }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const place = `${source}:${index + 1}`;
    try {
      const statement = parseLine(line);
      if (statement === null) continue;
      if (topology !== undefined && statement.kind === 'operation') {
        for (const subject of absentIn(statement, topology)) absent(subject, place);
      }
      if (statement.kind === 'seq') sequences.push({ name: statement.name, operations: [] });
      else {
        if (sequences.length === 0) sequences.push({ name: '-', operations: [] });
        sequences.at(-1)?.operations.push(statement);
      }
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      throw new RequestError(`${place}: ${error.message}`);
    }
  }
  return sequences;
}

/**
 * Where a simulation goes on after events: the next position, the time of the last event, and a pid
 * above all that were used.
 */
export function startAfter(events: Iterable<Placed>): HostStart {
  let last = firstStart.pid - 1;
  let [position, time]: [number, string | null] = [-1, null];
  for (const event of events) {
    const { data } = event;
    ({ position, time } = event);
    if ('pid' in data && data.pid !== null) last = Math.max(last, data.pid);
    if ('child' in data) last = Math.max(last, data.child);
  }
  return { position: position + 1, pid: last + 1, time };
}

/** An answer with the name of its sequence and the index of its operation in it. */
export interface SimulatedAnswer extends HostAnswer {
  readonly seq: string;
  readonly n: number;
}

/**
 * One step of a simulation: a boot, for which `answer` is null, or an operation. It is recorded as
 * a whole.
 */
export interface SimulationStep {
  readonly answer: SimulatedAnswer | null;
  readonly events: readonly (LedgerEvent & { readonly position: number })[];
}

/** Where a simulation begins, and what the ids of its events follow from. */
interface Identity {
  readonly seed: string;
  /** A digest in hex, with at least 24 digits. */
  readonly digest: (text: string) => string;
  readonly start?: HostStart;
}

/**
 * Plays sequences. The ids of the events follow from `seed` and the facts: the same scenario from
 * the same start gives the same log.
 */
export function* simulate(
  sequences: readonly Sequence[],
  topology: Topology,
  profile: Profile,
  { seed, digest, start = firstStart }: Identity,
): Generator<SimulationStep> {
  const host = new ScenarioHost(topology, profile, start);
  let id = seed;
  const identify = (fact: Placed<Fact>) => {
    id = digest(`${id}\n${fact.type}\n${JSON.stringify(fact.data)}`);
    return { ...fact, id: id.slice(0, 24), time: start.time } as LedgerEvent & { position: number };
  };
  for (const { name, operations } of sequences) {
    yield { answer: null, events: host.boot(name).map(identify) };
    for (const [n, operation] of operations.entries()) {
      const { answer, facts } = host.play(operation);
      yield { answer: { seq: name, n, ...answer }, events: facts.map(identify) };
    }
  }
}

/** Steps that are recorded in one append: whole sequences, or a part of one that is too long. */
interface Turn {
  readonly steps: readonly SimulationStep[];
  /** Number of sequences that begin in it. */
  readonly begun: number;
  /** Whether it begins with the boot of a sequence, not in the middle of one. */
  readonly isWhole: boolean;
}

/**
 * Groups steps into turns of at most `size`. A sequence that does not fit into a turn with others
 * begins the next turn.
 */
export function* turns(steps: Iterable<SimulationStep>, size: number): Generator<Turn> {
  let whole: SimulationStep[] = [];
  let current: SimulationStep[] = [];
  const turnOf = (taken: SimulationStep[]): Turn => ({
    steps: taken,
    begun: taken.filter(({ answer }) => answer === null).length,
    isWhole: taken[0]?.answer === null,
  });
  for (const step of steps) {
    if (step.answer === null) {
      whole.push(...current);
      current = [];
    }
    current.push(step);
    if (whole.length + current.length < size) continue;
    if (whole.length > 0) yield turnOf(whole);
    else {
      yield turnOf(current);
      current = [];
    }
    whole = [];
  }
  if (whole.length + current.length > 0) yield turnOf([...whole, ...current]);
}
