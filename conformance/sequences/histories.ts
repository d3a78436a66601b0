/**
 * Random histories: ways to devices, interleaved, broken off and disturbed, which seek out the
 * situations that have been met least.
 *
 * @module
 */
import fc from 'fast-check';
import type { Sequence } from '../../host/simulation.ts';
import type { Profile } from '../../machines/profile.ts';
import type { OperationStatement, ProcessName } from '../../scenario/language.ts';
import type { Topology } from '../../scenario/topology.ts';
import { SequenceDraft } from './draft.ts';
import { moveOf, someWays, wayOut, type MoveContext, type Pick } from './moves.ts';
import { rolesOn, type Roles } from './roles.ts';
import { situationOf } from './situation.ts';

/** Drafts of an operation, of which the one in the rarest situation is taken. */
const DRAFTS = 4;

/** What kind of host a history is about. */
interface Shape {
  readonly name: string;
  readonly lengths: readonly number[];
  /** How many ways are gone at the same time. */
  readonly ways: readonly number[];
  /** The processes that go them. */
  readonly processes: readonly number[];
  /** How many groups they lead to. */
  readonly casts: number;
  /** Whether another way is begun where one has come to its end, or to a refusal. */
  readonly isRenewed: boolean;
}

const upTo = (count: number, from = 1): number[] =>
  Array.from({ length: count - from + 1 }, (_, index) => from + index);
const three = upTo(3);

const shortLived: Shape = {
  name: 'history',
  lengths: upTo(24, 10),
  ways: three,
  processes: three,
  casts: 1,
  isRenewed: false,
};

const longLived: Shape = {
  name: 'long',
  lengths: upTo(300, 60),
  ways: upTo(5, 2),
  processes: upTo(8),
  casts: 3,
  isRenewed: true,
};

/** What a process is about to do: the lines that are left. */
interface Intent {
  readonly process: ProcessName;
  readonly lines: string[];
}

/** Random histories on a host without end; the same ones for the same seed. */
export function histories(
  topology: Topology,
  profile: Profile,
  seed: number,
): Generator<Sequence, never> {
  return historiesOf(shortLived, topology, profile, seed);
}

/**
 * The same of hosts that live long: 60 to 300 operations by up to eight processes, which use up to
 * three groups through containers, iommufds and cdevs, and begin anew whenever they have come to
 * an end.
 */
export function longHistories(
  topology: Topology,
  profile: Profile,
  seed: number,
): Generator<Sequence, never> {
  return historiesOf(longLived, topology, profile, seed);
}

function* historiesOf(
  shape: Shape,
  topology: Topology,
  profile: Profile,
  seed: number,
): Generator<Sequence, never> {
  const met = new Map<string, number>();
  const casts = rolesOn(topology);
  for (let number = 0; ; number++) {
    const pick = pickOf(seed + number * 0x9e37);
    const own = Array.from({ length: shape.casts }, () => pick(casts));
    yield {
      name: `${shape.name}.${seed}.${number}`,
      operations: history(shape, new SequenceDraft(topology, profile), own, pick, met),
    };
  }
}

/** fast-check's own generator draws, so that a seed says all. */
function pickOf(seed: number): Pick {
  const [draw] = fc.sample(fc.gen(), { seed, numRuns: 1 });
  if (draw === undefined) throw new RangeError('fast-check gave no sample');
  return (among) => {
    const index = draw(fc.nat, among.length - 1);
    const picked = among[index];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  };
}

function history(
  { lengths, ways: counts, processes, isRenewed }: Shape,
  draft: SequenceDraft,
  casts: readonly Roles[],
  pick: Pick,
  met: Map<string, number>,
): OperationStatement[] {
  const seat = (process: ProcessName): MoveContext => {
    return { draft, pick, roles: pick(casts), process };
  };
  const somebody = () => (draft.processes.length === 0 ? 'P1' : pick(draft.processes));
  let marks = 0;
  const favourites = someWays(draft, pick);
  const begin = (): Intent => {
    const process: ProcessName = `P${pick(processes)}`;
    return { process, lines: [...pick(favourites)(seat(process), `w${++marks}`)] };
  };
  const renew = (): Intent => {
    if (pick([true, false])) return begin();
    const process = somebody();
    return { process, lines: [...wayOut(seat(process))] };
  };
  const length = pick(lengths);
  const ways = Array.from({ length: pick(counts) }, begin);
  while (draft.statements.length < length) {
    const open = ways.filter(({ lines }) => lines.length > 0);
    const way = open.length > 0 && pick(three) > 1 ? pick(open) : null;
    const line = way?.lines.shift();
    const statement =
      way === null || line === undefined
        ? rarest(() => disturbance(seat(somebody())), draft, met)
        : draft.statement(way.process, line);
    const { kind } = situationOf(draft.host, statement);
    met.set(kind, (met.get(kind) ?? 0) + 1);
    const { rc = -1 } = draft.play(statement);
    const isRefused = rc < 0;
    if (isRenewed && way !== null && (isRefused || way.lines.length === 0)) {
      ways[ways.indexOf(way)] = renew();
    }
  }
  return draft.statements;
}

function disturbance(table: MoveContext): OperationStatement {
  return table.draft.statement(table.process, moveOf(table));
}

function rarest(
  make: () => OperationStatement,
  { host }: SequenceDraft,
  met: ReadonlyMap<string, number>,
): OperationStatement {
  const drafts = Array.from({ length: DRAFTS }, make).map((statement) => {
    return { statement, times: met.get(situationOf(host, statement).kind) ?? 0 };
  });
  return drafts.reduce((best, one) => (one.times < best.times ? one : best)).statement;
}
