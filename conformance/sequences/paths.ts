/**
 * Sequences out of the machines: the shortest way to each state, and there everything that can be
 * asked and has not been asked in that situation before.
 *
 * The machines of a host form one system whose events are operations. `xstate/graph` walks it.
 *
 * @module
 */
import { fromTransition, type SnapshotFrom } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { Operation } from '../../events/vocabulary.ts';
import type { Sequence } from '../../host/simulation.ts';
import { ScenarioHost } from '../../host/scenario-host.ts';
import type { Profile } from '../../machines/profile.ts';
import type { OperationStatement } from '../../scenario/language.ts';
import type { Topology } from '../../scenario/topology.ts';
import { alphabets, type Alphabet } from './alphabet.ts';
import { rolesOn, type Roles } from './roles.ts';
import { situationOf, standingOf } from './situation.ts';

/** Of questions in a sequence, about. */
const MOST = 40;

/** Longer ways lead to states that random histories reach as well. */
const LONGEST = 8;

/** How a host was brought to where it stands. */
interface Reached {
  readonly way: readonly OperationStatement[];
  readonly standing: string;
}

interface Move {
  readonly type: string;
  readonly statement: OperationStatement;
}

/** Hosts brought to where a way leads; the last one is kept for as long as it still stands there. */
class Replayer {
  readonly #topology: Topology;
  readonly #profile: Profile;
  #way: readonly OperationStatement[] | null = null;
  #host: ScenarioHost | null = null;

  constructor(topology: Topology, profile: Profile) {
    this.#topology = topology;
    this.#profile = profile;
  }

  /** A host of its own at the end of a way. */
  lead(way: readonly OperationStatement[]): ScenarioHost {
    const host = new ScenarioHost(this.#topology, this.#profile);
    host.boot('path');
    for (const statement of way) host.play(statement);
    return host;
  }

  /** Goes on from a way; what is refused leads nowhere. */
  follow(from: Reached, statement: OperationStatement): Reached {
    const host = this.#at(from.way);
    const { facts } = host.play(statement);
    if (facts.every(({ type }) => type === 'operation.refused')) return from;
    const way = [...from.way, statement];
    this.#way = way;
    return { way, standing: standingOf(host) };
  }

  #at(way: readonly OperationStatement[]): ScenarioHost {
    if (this.#host === null || this.#way !== way) this.#host = this.lead(way);
    this.#way = way;
    return this.#host;
  }
}

/** The shortest way to each state that the moves of an alphabet lead to, the shortest first. */
function waysThrough({ moves }: Alphabet, replayer: Replayer): (readonly OperationStatement[])[] {
  const events = moves.map((statement): Move => ({ type: statement.text, statement }));
  const way: readonly OperationStatement[] = [];
  const start: Reached = { way, standing: standingOf(replayer.lead(way)) };
  const system = fromTransition((reached: Reached, { statement }: Move) => {
    return replayer.follow(reached, statement);
  }, start);
  type Snapshot = SnapshotFrom<typeof system>;
  const paths = getShortestPaths(system, {
    events: ({ context }: Snapshot) => events.filter(({ statement }) => isFree(statement, context)),
    serializeState: ({ context }: Snapshot) => context.standing,
    serializeEvent: ({ type }: Move) => type,
    stopWhen: ({ context }: Snapshot) => context.way.length >= LONGEST,
  });
  return paths.map(({ state }) => state.context.way).toSorted((a, b) => a.length - b.length);
}

/** Where an operation has the name that it gives to what it opens or allocates. */
const given: Partial<Record<Operation, number>> = {
  open_cdev: 0,
  open_iommufd: 0,
  open_container: 0,
  open_group: 0,
  open_path: 0,
  get_device: 0,
  mmap: 0,
  alloc_ioas: 1,
  alloc_hwpt: 3,
};

const nameGivenBy = ({ operation, operands }: OperationStatement): string | undefined =>
  operands[given[operation] ?? Infinity];

const ends: ReadonlySet<Operation> = new Set(['close', 'munmap', 'destroy']);

/** Whether the name that an operation gives stands for nothing: none is lost on the way. */
function isFree(statement: OperationStatement, { way }: Reached): boolean {
  const name = nameGivenBy(statement);
  const last = way.findLast((earlier) =>
    ends.has(earlier.operation) ? earlier.operands.at(-1) === name : nameGivenBy(earlier) === name,
  );
  return name === undefined || last === undefined || ends.has(last.operation);
}

/** The part of a host that a cast plays on: what is in their groups, and nothing else. */
function stageOf(topology: Topology, { device, stranger }: Roles): Topology {
  const groups = topology.devices
    .filter(({ name }) => name === device || name === stranger)
    .map(({ group }) => group);
  const devices = topology.devices.filter(({ group }) => groups.includes(group));
  return { ...topology, devices, groups: {} };
}

/** A way through the machines, and the alphabet that it is written in. */
interface Way {
  readonly roles: Roles;
  readonly alphabet: Alphabet;
  readonly replayer: Replayer;
  readonly way: readonly OperationStatement[];
}

/** Every way through the machines of a host. */
export function allWays(topology: Topology, profile: Profile): Way[] {
  return rolesOn(topology).flatMap((roles) => {
    const replayer = new Replayer(stageOf(topology, roles), profile);
    return alphabets(roles).flatMap((alphabet) =>
      waysThrough(alphabet, replayer).map((way) => ({ roles, alphabet, replayer, way })),
    );
  });
}

/** How closely situations are told apart. */
type Grain = 'kind' | 'exactly';

/** Sequences that meet every situation that ways lead to, each of them once. */
export function* pathSequences(ways: readonly Way[], grain: Grain): Generator<Sequence> {
  const met = new Set<string>();
  let number = 0;
  for (const { roles, alphabet, replayer, way } of ways) {
    for (;;) {
      const questions = questionsAfter(replayer.lead(way), alphabet, grain, met);
      if (questions.length === 0) break;
      const name = `${grain}.${alphabet.name}.${roles.device}.${number++}`;
      yield { name, operations: [...way, ...questions] };
    }
  }
}

/** What lets something go: how much is left then depends on what has been counted. */
const lettingGo: ReadonlySet<Operation> = new Set([
  'close',
  'unset_container',
  'detach',
  'attach',
  'set_driver',
]);

/** What a question is told apart by. */
function keyOf(host: ScenarioHost, statement: OperationStatement, grain: Grain): string {
  const { kind, exactly, isRefused } = situationOf(host, statement);
  return grain === 'kind' && (isRefused || !lettingGo.has(statement.operation)) ? kind : exactly;
}

/**
 * What is asked at the end of a way, in situations that have not been met: first what is refused,
 * then something that is not, and so on where that has led.
 */
function questionsAfter(
  host: ScenarioHost,
  { asks, probes }: Alphabet,
  grain: Grain,
  met: Set<string>,
): OperationStatement[] {
  const questions: OperationStatement[] = [];
  const ask = (statement: OperationStatement): void => {
    const { exactly } = situationOf(host, statement);
    met.add(keyOf(host, statement, grain));
    const { facts } = host.play(statement);
    questions.push(statement);
    if (facts.some(({ type }) => type !== 'operation.refused')) lookAround(exactly);
  };
  /** A release answers nothing by itself: what it has left behind shows in what is asked next. */
  const lookAround = (change: string): void => {
    const pairOf = (probe: OperationStatement) => `${change} > ${situationOf(host, probe).kind}`;
    const next = probes.find((probe) => !met.has(pairOf(probe)));
    if (next === undefined || questions.length >= MOST) return;
    met.add(pairOf(next));
    const asked = questions.length;
    ask(next);
    // One that has changed something has looked around itself.
    if (questions.length === asked + 1) lookAround(change);
  };
  while (questions.length < MOST) {
    for (const statement of asks) {
      const { isRefused } = situationOf(host, statement);
      if (isRefused && !met.has(keyOf(host, statement, grain))) ask(statement);
    }
    const next = asks.find((statement) => !met.has(keyOf(host, statement, grain)));
    if (next === undefined) break;
    ask(next);
  }
  return questions;
}
